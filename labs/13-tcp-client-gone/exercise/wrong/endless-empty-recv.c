// wrong: a connection is expected to end in another way than by a recv that gives nothing
// fails: closes-too, rests, hundreds
// shows: spins
// starters: make it
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *talk(void *given)
{
    int conn = (int)(intptr_t)given;
    char buf[1024];
    ssize_t len;
    while ((len = recv(conn, buf, sizeof buf, 0)) >= 0) {
        for (ssize_t at = 0; at < len; at++)
            buf[at] = toupper((unsigned char)buf[at]);
        for (ssize_t sent = 0; sent < len;) {
            ssize_t part = send(conn, buf + sent, len - sent, MSG_NOSIGNAL);
            if (part < 0)
                goto gone;
            sent += part;
        }
    }
gone:
    close(conn);
    return NULL;
}

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
        pthread_t thread;
        if (conn < 0)
            return 1;
        if (pthread_create(&thread, NULL, talk, (void *)(intptr_t)conn) == 0)
            pthread_detach(thread);
        else
            close(conn);
    }
}
