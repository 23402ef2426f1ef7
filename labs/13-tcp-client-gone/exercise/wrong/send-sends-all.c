// wrong: a send on a socket that does not block is taken to send all
// fails: late-reader, pending-answers
// shows: hangs, got less
// race: how much a send takes before the client reads on
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1, count = 1;
    struct pollfd all[200] = {{.fd = listener, .events = POLLIN}};
    inet_pton(AF_INET, getenv("HOST"), &here.sin_addr);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 16))
        return 1;
    for (;;) {
        if (poll(all, count, -1) < 0)
            return 1;
        if (all[0].revents && count < 200) {
            int conn = accept(listener, NULL, NULL);
            ioctl(conn, FIONBIO, &yes);
            all[count++] = (struct pollfd){.fd = conn, .events = POLLIN};
        }
        for (int at = count - 1; at > 0; at--) {
            char buf[1024];
            if (!all[at].revents)
                continue;
            ssize_t len = recv(all[at].fd, buf, sizeof buf, 0);
            if (len <= 0) {
                close(all[at].fd);
                all[at] = all[--count];
                continue;
            }
            for (ssize_t i = 0; i < len; i++)
                buf[i] = toupper((unsigned char)buf[i]);
            send(all[at].fd, buf, len, 0);
        }
    }
}
