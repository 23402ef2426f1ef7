/* A client with a header of four bytes. The task is in TASK.md. */

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

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
        send(conn, &header, sizeof header, MSG_NOSIGNAL);
        send(conn, line, len, MSG_NOSIGNAL);

        recv(conn, &header, sizeof header, 0);
        uint32_t length = ntohl(header);
        char *answer = malloc(length);
        recv(conn, answer, length, 0);
        fwrite(answer, 1, length, stdout);
        putchar('\n');
        free(answer);
    }
}
