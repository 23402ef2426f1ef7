/* A server that reads a name of exactly eight bytes, and then a text whose characters may be cut. */

#include <arpa/inet.h>
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

/* How many bytes the character has that begins so; 0 if none does. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* The code point of a whole character, or -1 if it is none. */
static long code_of(const unsigned char *bytes, size_t len)
{
    static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
    long code = len == 1 ? bytes[0] : bytes[0] & (0x7f >> len);
    for (size_t at = 1; at < len; at++) {
        if ((bytes[at] & 0xc0) != 0x80)
            return -1;
        code = code << 6 | (bytes[at] & 0x3f);
    }
    if (code < least[len] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
        return -1;
    return code;
}

static void serve(int conn)
{
    unsigned char name[8], character[4], buf[1024];
    if (recv_exact(conn, name, sizeof name) < 0)
        return;
    send(conn, name, sizeof name, MSG_NOSIGNAL);

    size_t have = 0; /* so many bytes of the character that is not whole yet */
    ssize_t len;
    while ((len = recv(conn, buf, sizeof buf, 0)) > 0) {
        for (ssize_t at = 0; at < len; at++) {
            character[have++] = buf[at];
            size_t whole = length_of(character[0]);
            /* The rest of a character is made of bytes of one kind only. */
            int is_rest = have == 1 || (buf[at] & 0xc0) == 0x80;
            long code = whole == 0 || !is_rest ? -1 : have < whole ? 0 : code_of(character, whole);
            if (code < 0) {
                refuse(conn);
                return;
            }
            if (have == whole) {
                tell(conn, code);
                have = 0;
            }
        }
    }
    if (len == 0 && have > 0)
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
