// wrong: a send to a client that has gone is taken to do no harm: the signal that comes with its error is forgotten
// fails: reset-while-it-sends
// shows: ended, SIGPIPE
// race: whether the RST of a client comes before its answer is sent or after
#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void serve(int conn)
{
    static char frame[4 + LONGEST];
    for (;;) {
        uint32_t header;
        if (recv_exact(conn, frame, 4) < 0)
            return;
        memcpy(&header, frame, 4);
        uint32_t length = ntohl(header);
        if (length > LONGEST || recv_exact(conn, frame + 4, length) < 0)
            return;
        for (uint32_t at = 0; at < length; at++)
            frame[4 + at] = toupper((unsigned char)frame[4 + at]);
        write(conn, frame, 4 + length);
    }
}

int main(void)
{
    int listener = listens();
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        if (conn < 0) {
            perror("accept");
            return 1;
        }
        serve(conn);
        close(conn);
    }
}
