/* A server that answers in capital letters. The task is in TASK.md. */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

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

int main(void)
{
    int listener = listens();
    int conn = accept(listener, NULL, NULL);
    char buf[1024];
    for (;;) {
        ssize_t len = recv(conn, buf, sizeof buf, 0);
        for (ssize_t at = 0; at < len; at++)
            buf[at] = toupper((unsigned char)buf[at]);
        send(conn, buf, len, 0);
        /* What if the client has left? And who serves the next one? */
    }
}
