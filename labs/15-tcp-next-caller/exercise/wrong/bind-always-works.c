// wrong: bind is expected to work: whether it did is not looked at
// fails: port-taken
// shows: hangs, in accept
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void talk(int conn)
{
    char buf[1024];
    ssize_t len;
    while ((len = recv(conn, buf, sizeof buf, 0)) > 0) {
        for (ssize_t at = 0; at < len; at++)
            buf[at] = toupper((unsigned char)buf[at]);
        for (ssize_t sent = 0; sent < len;) {
            ssize_t part = send(conn, buf + sent, len - sent, MSG_NOSIGNAL);
            if (part < 0)
                return;
            sent += part;
        }
    }
}

int main(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8080)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, host ? host : "127.0.0.1", &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 5);
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        if (conn < 0)
            return 1;
        talk(conn);
        close(conn);
    }
}
