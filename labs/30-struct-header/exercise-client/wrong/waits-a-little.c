// wrong: what has come before a time-out of recv is taken for the whole answer
// fails: header-in-pieces, answer-in-pieces
// shows: expected "nothing"
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 65536

static void gives_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static int connects(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8080)};
    int conn = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, host ? host : "127.0.0.1", &there.sin_addr);
    if (connect(conn, (struct sockaddr *)&there, sizeof there) < 0)
        gives_up("cannot connect");
    return conn;
}

/* Reads n bytes, or fewer when nothing more comes for a while. */
static size_t recv_for_a_while(int conn, char *data, size_t n)
{
    size_t have = 0;
    struct pollfd readable = {.fd = conn, .events = POLLIN};
    while (have < n && poll(&readable, 1, 900) > 0) {
        ssize_t len = recv(conn, data + have, n - have, 0);
        if (len <= 0)
            gives_up("the server has gone");
        have += len;
    }
    return have;
}

static void send_all(int conn, const char *data, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        ssize_t len = send(conn, data + sent, n - sent, MSG_NOSIGNAL);
        if (len < 0)
            gives_up("the server has gone");
        sent += len;
    }
}

int main(void)
{
    static char answer[LONGEST];
    int conn = connects();
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&line, &size, stdin)) > 0) {
        len -= line[len - 1] == '\n';
        uint32_t header = htonl(len);
        send_all(conn, (char *)&header, 4);
        send_all(conn, line, len);
        header = 0;
        recv_for_a_while(conn, (char *)&header, 4);
        if (ntohl(header) > LONGEST)
            gives_up("a length that cannot be believed");
        size_t came = recv_for_a_while(conn, answer, ntohl(header));
        fwrite(answer, 1, came, stdout);
        putchar('\n');
        fflush(stdout);
    }
    return 0;
}
