/* A server that answers one line, and closes; it can be restarted at once. */

#include <arpa/inet.h>
#include <ctype.h>
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
    /* Connections of the program that was here before do not count. A listener does. */
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 5) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return listener;
}

/* Reads up to the newline, or until the client leaves or says too much. Returns how many bytes there are. */
static size_t read_line(int conn, char *line, size_t size)
{
    size_t len = 0;
    while (len < size && (len == 0 || line[len - 1] != '\n')) {
        ssize_t more = recv(conn, line + len, size - len, 0);
        if (more <= 0)
            break;
        len += more;
    }
    return len;
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
        char line[1024];
        size_t len = read_line(conn, line, sizeof line);
        for (size_t at = 0; at < len; at++)
            line[at] = toupper((unsigned char)line[at]);
        send(conn, line, len, MSG_NOSIGNAL);
        close(conn);
    }
}
