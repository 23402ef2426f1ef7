/* other: epoll, which tells of each change once (EPOLLET): it reads and sends until there is no more, or no room */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    int fd, has_asked;
    unsigned long left, at;
};

static char letters[26 * 2000];

static int act(struct client *c)
{
    char piece[32];
    while (!c->has_asked) {
        ssize_t len = read(c->fd, piece, sizeof piece);
        if (len <= 0)
            return len < 0 && errno == EAGAIN;
        for (ssize_t i = 0; i < len && !c->has_asked; i++) {
            if (piece[i] == '\n')
                c->has_asked = 1;
            else
                c->left = c->left * 10 + (piece[i] - '0');
        }
    }
    while (c->left > 0) {
        size_t len = sizeof letters - c->at;
        ssize_t sent = write(c->fd, letters + c->at, len < c->left ? len : c->left);
        if (sent < 0)
            return errno == EAGAIN;
        c->left -= sent;
        c->at = (c->at + sent) % 26;
    }
    return 0;
}

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, waiting = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    inet_pton(AF_INET, getenv("HOST"), &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 10))
        return 1;
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof letters; i++)
        letters[i] = 'a' + i % 26;
    epoll_ctl(waiting, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        if (epoll_wait(waiting, &event, 1, -1) != 1)
            continue;
        struct client *client = event.data.ptr;
        if (!client) {
            client = calloc(1, sizeof *client);
            client->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            event = (struct epoll_event){.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = client};
            epoll_ctl(waiting, EPOLL_CTL_ADD, client->fd, &event);
        } else if (!act(client)) {
            close(client->fd);
            free(client);
        }
    }
}
