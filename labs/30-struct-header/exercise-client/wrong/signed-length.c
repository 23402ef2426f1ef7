// wrong: a length is taken for a signed number
// fails: length-highest-bit
// shows: hangs
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define LONGEST 65536

static int connects(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8080)};
    int conn = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, host ? host : "127.0.0.1", &there.sin_addr);
    if (connect(conn, (struct sockaddr *)&there, sizeof there) < 0) {
        perror("cannot connect");
        exit(1);
    }
    return conn;
}

static void gives_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

/* Reads n bytes, in however many pieces they come. */
static void recv_exact(int conn, void *data, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t len = recv(conn, (char *)data + have, n - have, 0);
        if (len <= 0)
            gives_up("the server has gone");
        have += len;
    }
}

static void send_all(int conn, const void *data, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        ssize_t len = send(conn, (const char *)data + sent, n - sent, MSG_NOSIGNAL);
        if (len < 0)
            gives_up("the server has gone");
        sent += len;
    }
}

int main(void)
{
    int conn = connects();
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&line, &size, stdin)) > 0) {
        if (line[len - 1] == '\n')
            len--;
        uint32_t header = htonl(len);
        send_all(conn, &header, sizeof header);
        send_all(conn, line, len);

        static char answer[LONGEST];
        recv_exact(conn, &header, sizeof header);
        int length = ntohl(header);
        if (length > LONGEST)
            gives_up("a length that cannot be believed");
        if (length > 0) {
            recv_exact(conn, answer, length);
            fwrite(answer, 1, length, stdout);
        }
        putchar('\n');
        fflush(stdout);
    }
    return 0;
}
