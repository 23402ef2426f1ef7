/* other: poll over all clients, sockets that never block, and one answer at a time for each */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 1024
#define CLIENTS 200

struct client {
    char came[4096], head[32], text[LONGEST + 1];
    size_t have, head_len, text_len, times, sent;
    int at_end;
};

static struct pollfd polled[1 + CLIENTS];
static struct client *clients[1 + CLIENTS];
static int count = 1;

/* Takes the next request out of what has come: 1 if there is one, 0 if not yet, -1 if there will be none. */
static int next_request(struct client *c)
{
    char *end = memchr(c->came, '\n', c->have);
    size_t len = end ? (size_t)(end - c->came) : c->have, at = 0, times = 0;
    if (len > LONGEST || (!end && c->at_end))
        return -1;
    if (!end)
        return 0;
    while (at < len && c->came[at] >= '0' && c->came[at] <= '9' && times <= 1000)
        times = 10 * times + (c->came[at++] - '0');
    if (at > 0 && at < len && c->came[at] == ' ' && times <= 1000) {
        c->text_len = len - at - 1;
        memcpy(c->text, c->came + at + 1, c->text_len);
    } else {
        times = c->text_len = 1;
        c->text[0] = '?';
    }
    c->text[c->text_len++] = '\n';
    c->times = times;
    c->head_len = sprintf(c->head, "%zu\n", times * c->text_len);
    c->sent = 0;
    memmove(c->came, end + 1, c->have - len - 1);
    c->have -= len + 1;
    return 1;
}

/* Goes on sending: 1 if all is sent, 0 if not yet, -1 if the client has gone. */
static int send_on(int fd, struct client *c)
{
    size_t whole = c->head_len + c->times * c->text_len;
    while (c->sent < whole) {
        size_t at = c->sent < c->head_len ? c->sent : (c->sent - c->head_len) % c->text_len;
        const char *from = c->sent < c->head_len ? c->head : c->text;
        size_t len = (c->sent < c->head_len ? c->head_len : c->text_len) - at;
        ssize_t sent = send(fd, from + at, len, 0);
        if (sent < 0)
            return errno == EAGAIN ? 0 : -1;
        c->sent += sent;
    }
    c->head_len = c->times = 0;
    return 1;
}

/* Does what can be done for a client: 0 if there is more to do later. */
static int act(struct pollfd *p, struct client *c)
{
    if (p->events & POLLIN) {
        ssize_t len = recv(p->fd, c->came + c->have, sizeof c->came - c->have, 0);
        if (len < 0)
            return errno == EAGAIN ? 0 : -1;
        c->at_end = len == 0;
        c->have += len;
    }
    for (;;) {
        int sent = c->head_len ? send_on(p->fd, c) : 1;
        if (sent < 0)
            return -1;
        if (sent == 0) {
            p->events = POLLOUT;
            return 0;
        }
        int found = next_request(c);
        if (found < 0)
            return -1;
        if (found == 0) {
            p->events = POLLIN;
            return 0;
        }
    }
}

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    inet_pton(AF_INET, getenv("HOST"), &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 64))
        return 1;
    signal(SIGPIPE, SIG_IGN);
    polled[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        poll(polled, count, -1);
        for (int i = count - 1; i > 0; i--) {
            if (!polled[i].revents || act(&polled[i], clients[i]) == 0)
                continue;
            close(polled[i].fd);
            free(clients[i]);
            count--;
            polled[i] = polled[count];
            clients[i] = clients[count];
        }
        if (polled[0].revents && count <= CLIENTS) {
            int conn = accept(listener, NULL, NULL);
            if (conn < 0)
                continue;
            fcntl(conn, F_SETFL, O_NONBLOCK);
            polled[count] = (struct pollfd){.fd = conn, .events = POLLIN};
            clients[count++] = calloc(1, sizeof(struct client));
        }
    }
}
