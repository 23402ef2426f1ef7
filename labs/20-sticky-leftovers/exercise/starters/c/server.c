/* A server that reads a name and a text. The task is in TASK.md. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void serve(int conn)
{
    unsigned char buf[1024];
    /* Is this the whole name? And only the name? */
    ssize_t len = recv(conn, buf, sizeof buf, 0);
    if (len > 0)
        send(conn, buf, len, MSG_NOSIGNAL);
    while ((len = recv(conn, buf, sizeof buf, 0)) > 0) {
        for (ssize_t at = 0; at < len; at++) {
            /* Is each byte a character? */
            char line[16];
            int size = snprintf(line, sizeof line, "U+%04X\n", buf[at]);
            send(conn, line, size, MSG_NOSIGNAL);
        }
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
