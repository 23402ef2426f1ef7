// wrong: a send to a client that has gone is taken to do no harm: the signal that comes with its error is forgotten
// fails: reset-while-it-sends, fin-then-reset
// shows: ended, SIGPIPE
// starters: make it
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
            write(conn, buf, len);
        }
        close(conn);
    }
}
