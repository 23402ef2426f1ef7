/* A server for several clients, with a header of four bytes. Something is wrong with it. The task is in TASK.md. */

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

/* Reads a message, and answers it. Returns -1 if the client left. */
static int reads(int conn)
{
    static unsigned char frame[4 + LONGEST];
    uint32_t header = 0;
    if (recv(conn, &header, sizeof header, 0) <= 0)
        return -1;
    uint32_t length = ntohl(header);
    if (length > LONGEST)
        return -1;
    for (uint32_t have = 0; have < length;) {
        ssize_t len = recv(conn, frame + 4 + have, length - have, 0);
        if (len <= 0)
            return -1;
        have += len;
    }
    for (uint32_t at = 0; at < length; at++)
        frame[4 + at] = toupper(frame[4 + at]);
    memcpy(frame, &header, 4);
    return send_all(conn, frame, 4 + length);
}

int main(void)
{
    struct pollfd all[1 + MOST_CLIENTS] = {{.fd = listens(), .events = POLLIN}};
    int count = 1;
    for (;;) {
        if (poll(all, count, -1) < 0) {
            perror("poll");
            return 1;
        }
        for (int at = count - 1; at > 0; at--) {
            if (all[at].revents == 0 || reads(all[at].fd) == 0)
                continue;
            close(all[at].fd);
            all[at] = all[--count];
        }
        if (all[0].revents && count <= MOST_CLIENTS) {
            int conn = accept(all[0].fd, NULL, NULL);
            if (conn >= 0)
                all[count++] = (struct pollfd){.fd = conn, .events = POLLIN};
        }
    }
}
