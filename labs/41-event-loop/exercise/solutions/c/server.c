/* An echo server for a thousand clients, in one process. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 16384

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
    fcntl(listener, F_SETFL, O_NONBLOCK);
    return listener;
}

/* What is still to be sent to a client: at most what one recv gave. */
struct rest {
    char *bytes;
    size_t len;
};

/* By the number of each descriptor. */
static struct rest rests[4096];
static int epoll;

static void watch(int op, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, op, fd, &event);
}

/* Keeps what send did not take, and waits until there is room for it; or else for more. */
static void keep(int conn, const char *bytes, size_t len)
{
    struct rest *rest = &rests[conn];
    char *kept = NULL;
    if (len > 0) {
        kept = malloc(len);
        memcpy(kept, bytes, len);
    }
    if ((len > 0) != (rest->len > 0))
        watch(EPOLL_CTL_MOD, conn, len > 0 ? EPOLLOUT : EPOLLIN);
    free(rest->bytes);
    *rest = (struct rest){kept, len};
}

/* Does what can be done without waiting. Returns -1 if the client has gone. */
static int act(int conn)
{
    char piece[PIECE];
    const char *bytes = rests[conn].bytes;
    ssize_t len = rests[conn].len;
    if (len == 0) {
        len = recv(conn, piece, sizeof piece, 0);
        if (len <= 0)
            return len < 0 && errno == EAGAIN ? 0 : -1;
        bytes = piece;
    }
    ssize_t sent = send(conn, bytes, len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return -1;
    if (sent < 0)
        sent = 0;
    keep(conn, bytes + sent, len - sent);
    return 0;
}

int main(void)
{
    int listener = listens(), is_full = 0;
    epoll = epoll_create1(0);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        struct epoll_event ready[64];
        int count = epoll_wait(epoll, ready, 64, -1);
        for (int at = 0; at < count; at++) {
            int fd = ready[at].data.fd;
            if (fd != listener) {
                if (act(fd) == 0)
                    continue;
                keep(fd, NULL, 0);
                close(fd);
                if (is_full)
                    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
                is_full = 0;
                continue;
            }
            int conn = accept(listener, NULL, NULL);
            if (conn >= 0) {
                fcntl(conn, F_SETFL, O_NONBLOCK);
                watch(EPOLL_CTL_ADD, conn, EPOLLIN);
            } else if (errno == EMFILE || errno == ENFILE) {
                /* It stays in the queue, and the listener would be ready again and again. */
                watch(EPOLL_CTL_DEL, listener, 0);
                is_full = 1;
            }
        }
    }
}
