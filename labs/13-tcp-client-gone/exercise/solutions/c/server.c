/* A server that answers in capital letters, and goes on whatever way its clients leave. */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Makes a socket that listens on HOST and PORT. */
static int listens(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8081)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, host ? host : "127.0.0.1", &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 5) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return listener;
}

/* Sends all of it. Returns 0, or -1 if the client has left. */
static int send_all(int conn, const char *buf, size_t len)
{
    while (len > 0) {
        /* Without the flag, a client that has left would kill this program with SIGPIPE. */
        ssize_t sent = send(conn, buf, len, MSG_NOSIGNAL);
        if (sent < 0)
            return -1;
        buf += sent;
        len -= sent;
    }
    return 0;
}

static void talk(int conn)
{
    char buf[1024];
    ssize_t len;
    /* 0 is a goodbye, and -1 a reset: the client is gone. */
    while ((len = recv(conn, buf, sizeof buf, 0)) > 0) {
        for (ssize_t at = 0; at < len; at++)
            buf[at] = toupper((unsigned char)buf[at]);
        if (send_all(conn, buf, len) < 0)
            return;
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
        talk(conn);
        close(conn);
    }
}
