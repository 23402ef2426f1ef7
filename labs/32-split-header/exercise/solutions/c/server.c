/* A server for several clients, with a header of four bytes, which comes in any pieces. */

#include <arpa/inet.h>
#include <ctype.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 65536
#define MOST_CLIENTS 50

/* A client, and what has come of its message. */
struct client {
    int conn;
    size_t have;
    unsigned char frame[4 + LONGEST];
};

/* Makes a socket that listens on HOST and PORT. */
static int listens(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8080)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, host ? host : "127.0.0.1", &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 20) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return listener;
}

/* Sends n bytes. Returns -1 if the client left before. */
static int send_all(int conn, const unsigned char *data, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        ssize_t len = send(conn, data + sent, n - sent, MSG_NOSIGNAL);
        if (len < 0)
            return -1;
        sent += len;
    }
    return 0;
}

static uint32_t length_of(const struct client *client)
{
    uint32_t header;
    memcpy(&header, client->frame, 4);
    return ntohl(header);
}

/* Reads what is there of a client's message, once, and answers it if it is whole. What is behind it stays in the socket,
   and poll says so again. Returns -1 if the client left. */
static int reads(struct client *client)
{
    size_t whole = client->have < 4 ? 4 : 4 + length_of(client);
    ssize_t len = recv(client->conn, client->frame + client->have, whole - client->have, 0);
    if (len <= 0)
        return -1;
    client->have += len;
    if (client->have < 4)
        return 0;
    uint32_t length = length_of(client);
    if (length > LONGEST)
        return -1;
    if (client->have < 4 + length)
        return 0;
    for (uint32_t at = 0; at < length; at++)
        client->frame[4 + at] = toupper(client->frame[4 + at]);
    client->have = 0;
    return send_all(client->conn, client->frame, 4 + length);
}

int main(void)
{
    struct pollfd all[1 + MOST_CLIENTS] = {{.fd = listens(), .events = POLLIN}};
    struct client *clients[1 + MOST_CLIENTS];
    int count = 1;
    for (;;) {
        if (poll(all, count, -1) < 0) {
            perror("poll");
            return 1;
        }
        for (int at = count - 1; at > 0; at--) {
            if (all[at].revents == 0 || reads(clients[at]) == 0)
                continue;
            close(all[at].fd);
            free(clients[at]);
            all[at] = all[--count];
            clients[at] = clients[count];
        }
        if (all[0].revents && count <= MOST_CLIENTS) {
            int conn = accept(all[0].fd, NULL, NULL);
            if (conn < 0)
                continue;
            clients[count] = calloc(1, sizeof **clients);
            clients[count]->conn = conn;
            all[count++] = (struct pollfd){.fd = conn, .events = POLLIN};
        }
    }
}
