// wrong: a text is taken to end at a zero byte, as strings do
// fails: text-as-it-is
// shows: wrong, expected "a\x00zero"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 1024
#define MOST_TIMES 1000

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

/* Sends n bytes. Returns -1 if the client left before. */
static int send_all(int conn, const char *data, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        ssize_t len = send(conn, data + sent, n - sent, MSG_NOSIGNAL);
        if (len < 0)
            return -1;
        sent += len;
    }
    return 0;
}

/* Answers one request, of which len bytes are given: a number, a space and a text. Returns -1 if the client left. */
static int answer(int conn, const char *request, size_t len)
{
    static char out[16 + MOST_TIMES * (LONGEST + 1)];
    size_t at = 0, times = 0;
    while (at < len && isdigit((unsigned char)request[at]) && times <= MOST_TIMES)
        times = 10 * times + (request[at++] - '0');
    if (at == 0 || at == len || request[at] != ' ' || times > MOST_TIMES)
        return send_all(conn, "2\n?\n", 4);
    const char *text = request + at + 1;
    size_t text_len = strnlen(text, len - at - 1);
    size_t filled = sprintf(out, "%zu\n", times * (text_len + 1));
    while (times-- > 0) {
        memcpy(out + filled, text, text_len);
        out[filled + text_len] = '\n';
        filled += text_len + 1;
    }
    return send_all(conn, out, filled);
}

static void serve(int conn)
{
    char came[LONGEST + 1], *end;
    size_t have = 0;
    for (;;) {
        /* Full and without an end, or the client has left. */
        ssize_t len = have < sizeof came ? recv(conn, came + have, sizeof came - have, 0) : 0;
        if (len <= 0)
            return;
        have += len;
        while ((end = memchr(came, '\n', have)) != NULL) {
            if (answer(conn, came, end - came) < 0)
                return;
            have -= end + 1 - came;
            memmove(came, end + 1, have);
        }
    }
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
