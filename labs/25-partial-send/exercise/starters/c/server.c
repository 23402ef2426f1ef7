/* A server that sends as much as its clients ask for, as they read it. The task is in TASK.md. */

#include <arpa/inet.h>
#include <poll.h>
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
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 100) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return listener;
}

/* For each socket: what it is waited for. The first one is the listener's. */
static struct pollfd polled[101];
static int count = 1;

int main(void)
{
    int listener = listens();
    polled[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        if (poll(polled, count, -1) < 0) {
            perror("poll");
            return 1;
        }
        if (polled[0].revents) {
            int conn = accept(listener, NULL, NULL);
            /* Make it non-blocking, and let poll watch it, too. */
            close(conn);
        }
    }
}
