// wrong: what has come before a time-out of recv is taken for the whole message
// fails: split-anywhere, second-waits
// shows: wrong, what "too early"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LONGEST 65536

static int listens(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8080)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, host ? host : "127.0.0.1", &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 5) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return listener;
}

/* Reads n bytes, or fewer when nothing more comes for a while. Returns -1 if the client left. */
static ssize_t recv_for_a_while(int conn, char *data, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t len = recv(conn, data + have, n - have, 0);
        if (len < 0 && errno == EAGAIN)
            return have;
        if (len <= 0)
            return -1;
        have += len;
    }
    return n;
}

static int send_all(int conn, const char *data, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        ssize_t len = send(conn, data + sent, n - sent, MSG_NOSIGNAL);
        if (len < 0)
            return -1;
        sent += len;
    }
    return 0;
}

static void serve(int conn)
{
    static char frame[4 + LONGEST];
    struct timeval a_while = {.tv_usec = 900000};
    setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &a_while, sizeof a_while);
    for (;;) {
        uint32_t header = 0;
        ssize_t came = recv_for_a_while(conn, (char *)&header, 4);
        if (came < 0 || ntohl(header) > LONGEST)
            return;
        if (came == 0)
            continue; /* no message yet */
        came = recv_for_a_while(conn, frame + 4, ntohl(header));
        if (came < 0)
            return;
        for (ssize_t at = 0; at < came; at++)
            frame[4 + at] = toupper((unsigned char)frame[4 + at]);
        header = htonl(came);
        memcpy(frame, &header, 4);
        if (send_all(conn, frame, 4 + came) < 0)
            return;
    }
}

int main(void)
{
    int listener = listens();
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        if (conn < 0)
            return 1;
        serve(conn);
        close(conn);
    }
}
