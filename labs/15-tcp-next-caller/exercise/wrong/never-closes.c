// wrong: a connection is taken to be closed, though a descriptor of it is still open
// fails: hundred-clients
// shows: hangs, in accept
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static int listens(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8081)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, host ? host : "127.0.0.1", &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 5) < 0) {
        perror("cannot listen");
        exit(1);
    }
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
        char buf[1024];
        ssize_t len;
        while ((len = recv(conn, buf, sizeof buf, 0)) > 0) {
            for (ssize_t at = 0; at < len; at++)
                buf[at] = toupper((unsigned char)buf[at]);
            for (ssize_t sent = 0; sent < len;) {
                ssize_t part = send(conn, buf + sent, len - sent, MSG_NOSIGNAL);
                if (part < 0)
                    break;
                sent += part;
            }
        }
    }
}
