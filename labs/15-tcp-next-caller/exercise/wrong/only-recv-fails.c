// wrong: only a recv is expected to fail: what a send to a client that has gone does is not looked at
// fails: rude-reader
// shows: ended, exit nonzero
// race: whether the RST of a client comes before its answer is sent or after
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void dies(const char *call)
{
    perror(call);
    exit(1);
}

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, getenv("HOST"), &here.sin_addr);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 16))
        dies("listen");
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        char buf[1024];
        ssize_t len;
        if (conn < 0)
            dies("accept");
        while ((len = recv(conn, buf, sizeof buf, 0)) > 0) {
            for (ssize_t at = 0; at < len; at++)
                buf[at] = toupper((unsigned char)buf[at]);
            if (write(conn, buf, len) < 0)
                dies("write");
        }
        close(conn);
    }
}
