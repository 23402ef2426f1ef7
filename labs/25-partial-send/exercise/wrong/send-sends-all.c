// wrong: a send on a socket that does not block is taken to send all
// fails: late-reader, fast-beside-slow, still-reads
// shows: wrong, what "not what it must be"
// race: how much a send takes before the client reads on
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 200

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

/* What a client has asked for, as far as that has come, and how much of it it has been sent. */
struct client {
    long asked, sent;
};

/* For each socket: what it is waited for. The first one is the listener's. */
static struct pollfd polled[1 + CLIENTS];
static struct client clients[1 + CLIENTS];
static int count = 1;

/* Reads more of a question. Returns -1 if the client has gone. */
static int read_question(struct pollfd *poll, struct client *client)
{
    char piece[16];
    ssize_t len = recv(poll->fd, piece, sizeof piece, 0);
    if (len <= 0)
        return len < 0 && errno == EAGAIN ? 0 : -1;
    for (ssize_t at = 0; at < len && piece[at] != '\n'; at++)
        client->asked = 10 * client->asked + (piece[at] - '0');
    /* From now on it is waited for until it can be written to, and for nothing else. */
    if (piece[len - 1] == '\n')
        poll->events = POLLOUT;
    return 0;
}

/* Sends what there is room for. Returns -1 when that was all, or the client has gone. */
static int send_more(struct pollfd *poll, struct client *client)
{
    static char piece[256 * 1024];
    size_t len = 0;
    for (; len < sizeof piece && client->sent + (long)len < client->asked; len++)
        piece[len] = 'a' + (client->sent + len) % 26;
    ssize_t sent = send(poll->fd, piece, len, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN ? 0 : -1;
    client->sent += len;
    return client->sent < client->asked ? 0 : -1;
}

int main(void)
{
    int listener = listens();
    polled[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        if (poll(polled, count, -1) < 0) {
            perror("poll");
            return 1;
        }
        /* From the last to the first: one that has gone leaves its place to the last one. */
        for (int at = count - 1; at > 0; at--) {
            if (polled[at].revents == 0)
                continue;
            int reads = polled[at].events == POLLIN;
            if ((reads ? read_question : send_more)(&polled[at], &clients[at]) < 0) {
                close(polled[at].fd);
                count--;
                polled[at] = polled[count];
                clients[at] = clients[count];
            }
        }
        if (polled[0].revents && count <= CLIENTS) {
            int conn = accept(listener, NULL, NULL);
            if (conn < 0)
                continue;
            fcntl(conn, F_SETFL, O_NONBLOCK);
            polled[count] = (struct pollfd){.fd = conn, .events = POLLIN};
            clients[count++] = (struct client){0};
        }
    }
}
