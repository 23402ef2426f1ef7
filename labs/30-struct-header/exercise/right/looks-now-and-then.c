/* other: recv never waits; when there is nothing it sleeps for 10 ms, and keeps what has come */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 65536

static int read_exactly(int conn, unsigned char *to, size_t len) {
    for (size_t have = 0; have < len;) {
        ssize_t got = recv(conn, to + have, len - have, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) {
            usleep(10000);
            continue;
        }
        if (got <= 0)
            return 0;
        have += (size_t)got;
    }
    return 1;
}

static void serve(int conn) {
    static unsigned char frame[4 + LONGEST];
    while (read_exactly(conn, frame, 4)) {
        uint32_t length = (uint32_t)frame[0] << 24 | frame[1] << 16 | frame[2] << 8 | frame[3];
        if (length > LONGEST || !read_exactly(conn, frame + 4, length))
            return;
        for (uint32_t i = 0; i < length; i++)
            frame[4 + i] = (unsigned char)toupper(frame[4 + i]);
        for (size_t sent = 0; sent < 4 + length;) {
            ssize_t count = send(conn, frame + sent, 4 + length - sent, MSG_NOSIGNAL);
            if (count < 0)
                return;
            sent += (size_t)count;
        }
    }
}

int main(void) {
    const char *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port ? port : "8080"))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 5)) {
        perror("server");
        return 1;
    }
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        if (conn < 0)
            continue;
        serve(conn);
        close(conn);
    }
}
