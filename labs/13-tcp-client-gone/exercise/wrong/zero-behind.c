// wrong: the zero at the end of a string is sent, too
// fails: answers
// shows: wrong, got zeros
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, getenv("HOST"), &here.sin_addr);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 16))
        return 1;
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        char buf[1024];
        ssize_t len;
        while ((len = recv(conn, buf, sizeof buf - 1, 0)) > 0) {
            buf[len] = '\0';
            for (char *c = buf; *c; c++)
                *c = toupper((unsigned char)*c);
            if (send(conn, buf, strlen(buf) + 1, 0) < 0)
                break;
        }
        close(conn);
    }
}
