// wrong: a send is taken to tell of a client that has gone by its error alone: with EPIPE comes a signal
// fails: fin-then-reset
// shows: ended, SIGPIPE
// race: whether a blocked write returns a part, and whether more is unread then
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, getenv("HOST"), &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 16))
        return 1;
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        char buf[4096];
        ssize_t len;
        while ((len = read(conn, buf, sizeof buf)) > 0) {
            for (ssize_t at = 0; at < len; at++)
                if (buf[at] >= 'a' && buf[at] <= 'z')
                    buf[at] -= 32;
            if (write(conn, buf, len) < 0)
                break;
        }
        close(conn);
    }
}
