// wrong: whatever converts to a number is taken for a length
// fails: length-is-a-lie, only-digits
// shows: hangs, what "does not end"
// starters: make it

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LONGEST (1024 * 1024)

/* Makes a connection to HOST and PORT. */
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

/* Reads the line with the length of the answer that follows. */
static size_t read_length(FILE *server)
{
    char line[100];
    if (!fgets(line, sizeof line, server) || !strchr(line, '\n'))
        gives_up("the server has gone");
    int length = atoi(line);
    if (length < 0 || length > LONGEST)
        gives_up("this is no length");
    return length;
}

int main(void)
{
    int conn = connects();
    FILE *server = fdopen(conn, "r"); /* one buffer for lines and for bytes */
    static char answer[LONGEST];
    char *command = NULL;
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&command, &size, stdin)) > 0) {
        if (command[0] == '\n')
            continue;
        send(conn, command, len, MSG_NOSIGNAL);
        size_t length = read_length(server);
        send(conn, "recv_ready\n", 11, MSG_NOSIGNAL);
        if (fread(answer, 1, length, server) < length)
            gives_up("the server has gone in the middle of its answer");
        fwrite(answer, 1, length, stdout);
        fflush(stdout);
    }
    return 0;
}
