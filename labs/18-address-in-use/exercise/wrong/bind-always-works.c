// wrong: bind is expected to work: whether it did is not looked at
// fails: port-taken
// shows: hangs, in accept
#include <arpa/inet.h>
#include <ctype.h>
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
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 5);
    return listener;
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
        ssize_t len = 0, more;
        while (len < (ssize_t)sizeof line && (len == 0 || line[len - 1] != '\n')) {
            if ((more = recv(conn, line + len, sizeof line - len, 0)) <= 0)
                break;
            len += more;
        }
        for (ssize_t at = 0; at < len; at++)
            line[at] = toupper((unsigned char)line[at]);
        if (len > 0)
            send(conn, line, len, MSG_NOSIGNAL);
        close(conn);
    }
}
