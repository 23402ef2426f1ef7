// wrong: a send to a client that has gone is taken to do no harm: the signal that comes with its error is forgotten
// fails: reset-while-it-sends
// shows: ended, SIGPIPE
// race: whether the RST of a client comes before its answer is sent or after
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

/* Answers one request, of which len bytes are given: a number, a space and a text. */
static void answer(int conn, const char *request, size_t len)
{
    static char out[16 + MOST_TIMES * (LONGEST + 1)];
    size_t at = 0, times = 0;
    while (at < len && isdigit((unsigned char)request[at]) && times <= MOST_TIMES)
        times = 10 * times + (request[at++] - '0');
    if (at == 0 || at == len || request[at] != ' ' || times > MOST_TIMES)
    {
        write(conn, "2\n?\n", 4);
        return;
    }
    const char *text = request + at + 1;
    size_t text_len = len - at - 1;
    size_t filled = sprintf(out, "%zu\n", times * (text_len + 1));
    while (times-- > 0) {
        memcpy(out + filled, text, text_len);
        out[filled + text_len] = '\n';
        filled += text_len + 1;
    }
    write(conn, out, filled);
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
            answer(conn, came, end - came);
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
