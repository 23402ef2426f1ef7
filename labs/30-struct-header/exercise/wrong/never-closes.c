// wrong: a connection is taken to be closed, though a descriptor of it is still open
// fails: several-messages, length-too-large, length-highest-bit, fin-in-a-frame, hundred-clients
// shows: hangs
#include <arpa/inet.h>
#include <ctype.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LONGEST 65536

/* Makes a socket that listens on HOST and PORT. */
static int listens(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8080)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, host ? host : "127.0.0.1", &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 5) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return listener;
}

/* Reads n bytes, in however many pieces they come. Returns -1 if the client left before. */
static int recv_exact(int conn, char *data, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t len = recv(conn, data + have, n - have, 0);
        if (len <= 0)
            return -1;
        have += len;
    }
    return 0;
}

/* Sends n bytes. Returns -1 if the client left before. */
static int send_all(int conn, const char *data, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        ssize_t len = send(conn, data + sent, n - sent, MSG_NOSIGNAL);
        if (len < 0)
            return -1;
        sent += len;
    }
    return 0;
}

static void *serve(void *given)
{
    int conn = (int)(intptr_t)given;
    char *frame = malloc(4 + LONGEST);
    for (;;) {
        uint32_t header;
        if (recv_exact(conn, frame, 4) < 0)
            break;
        memcpy(&header, frame, 4);
        uint32_t length = ntohl(header);
        if (length > LONGEST || recv_exact(conn, frame + 4, length) < 0)
            break;
        for (uint32_t at = 0; at < length; at++)
            frame[4 + at] = toupper((unsigned char)frame[4 + at]);
        if (send_all(conn, frame, 4 + length) < 0)
            break;
    }
    free(frame);
    return NULL;
}

int main(void)
{
    int listener = listens();
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        pthread_t thread;
        if (conn < 0) {
            perror("accept");
            return 1;
        }
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)conn) == 0)
            pthread_detach(thread);
    }
}
