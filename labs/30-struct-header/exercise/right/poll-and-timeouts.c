/* other: poll before each recv, with a limit of 100 ms each time; a process for each client */
#include <arpa/inet.h>
#include <ctype.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 65536

static int read_exactly(int conn, unsigned char *to, size_t len) {
    for (size_t have = 0; have < len;) {
        struct pollfd one = {.fd = conn, .events = POLLIN};
        if (poll(&one, 1, 100) == 0)
            continue; /* nothing yet */
        ssize_t got = recv(conn, to + have, len - have, 0);
        if (got <= 0)
            return 0;
        have += (size_t)got;
    }
    return 1;
}

static int write_all(int conn, const unsigned char *from, size_t len) {
    while (len > 0) {
        ssize_t sent = send(conn, from, len, MSG_NOSIGNAL);
        if (sent < 0)
            return 0;
        from += sent;
        len -= (size_t)sent;
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
        if (!write_all(conn, frame, 4 + length))
            return;
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
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        if (conn < 0)
            continue;
        if (fork() == 0) {
            close(listener);
            serve(conn);
            _exit(0);
        }
        close(conn);
    }
}
