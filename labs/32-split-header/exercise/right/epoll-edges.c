/* other: epoll that tells of each change only once, sockets that do not block, and a state for each client */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 65536

struct client {
    int conn;
    unsigned have; /* of header and text */
    uint32_t length;
    unsigned char frame[4 + LONGEST];
};

static int say(int conn, const unsigned char *data, size_t len) {
    while (len > 0) {
        ssize_t sent = send(conn, data, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd one = {.fd = conn, .events = POLLOUT};
            poll(&one, 1, -1);
            continue;
        }
        if (sent < 0)
            return 0;
        data += sent;
        len -= (size_t)sent;
    }
    return 1;
}

/* Takes bytes one state after the other, until there are no more. Returns 0 if the client is gone. */
static int takes(struct client *client) {
    for (;;) {
        unsigned wanted = client->have < 4 ? 4 : 4 + client->length;
        if (client->have == wanted) {
            for (uint32_t i = 0; i < client->length; i++)
                client->frame[4 + i] = (unsigned char)toupper(client->frame[4 + i]);
            if (!say(client->conn, client->frame, wanted))
                return 0;
            client->have = 0;
            continue;
        }
        ssize_t len = recv(client->conn, client->frame + client->have, wanted - client->have, 0);
        if (len < 0 && errno == EAGAIN)
            return 1;
        if (len <= 0)
            return 0;
        client->have += (unsigned)len;
        if (client->have == 4) {
            unsigned char *h = client->frame;
            client->length = (uint32_t)h[0] << 24 | h[1] << 16 | h[2] << 8 | h[3];
            if (client->length > LONGEST)
                return 0;
        }
    }
}

int main(void) {
    const char *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port ? port : "8080"))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, all = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 20)) {
        perror("server");
        return 1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(all, EPOLL_CTL_ADD, listener, &event);
    while (epoll_wait(all, &event, 1, -1) >= 0 || errno == EINTR) {
        struct client *client = event.data.ptr;
        if (client == NULL) {
            client = calloc(1, sizeof *client);
            client->conn = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            event = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.ptr = client};
            epoll_ctl(all, EPOLL_CTL_ADD, client->conn, &event);
        } else if (!takes(client)) {
            close(client->conn);
            free(client);
        }
    }
    return 1;
}
