// wrong: bits that can be put together are taken for a character
// fails: not-utf8
// shows: hangs, got nothing
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Reads n bytes, in however many pieces they come, and none behind them. Returns -1 if the client left before. */
static int recv_exact(int conn, unsigned char *data, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t len = recv(conn, data + have, n - have, 0);
        if (len <= 0)
            return -1;
        have += len;
    }
    return 0;
}

static void tell(int conn, unsigned code)
{
    char line[16];
    int len = snprintf(line, sizeof line, "U+%04X\n", code);
    send(conn, line, len, MSG_NOSIGNAL);
}

static void refuse(int conn)
{
    send(conn, "not UTF-8\n", 10, MSG_NOSIGNAL);
}

/* How many bytes the character has that begins so. */
static size_t length_of(unsigned char first)
{
    return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static void serve(int conn)
{
    unsigned char name[8], character[4], buf[1024];
    if (recv_exact(conn, name, sizeof name) < 0)
        return;
    send(conn, name, sizeof name, MSG_NOSIGNAL);
    size_t have = 0;
    ssize_t len;
    while ((len = recv(conn, buf, sizeof buf, 0)) > 0) {
        for (ssize_t at = 0; at < len; at++) {
            character[have++] = buf[at];
            size_t whole = length_of(character[0]);
            if (have < whole)
                continue;
            unsigned code = whole == 1 ? character[0] : character[0] & (0x7f >> whole);
            for (size_t rest = 1; rest < whole; rest++)
                code = code << 6 | (character[rest] & 0x3f);
            tell(conn, code);
            have = 0;
        }
    }
    if (have > 0)
        refuse(conn);
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
