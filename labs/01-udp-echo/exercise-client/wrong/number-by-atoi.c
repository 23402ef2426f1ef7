/* wrong: whatever a conversion makes of a text is taken for its number
 * fails: rubbish
 * shows: got " HELLO"
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define TRIES 3
#define WAITS 200 /* ms */

static char line[65536], request[65600], answer[65536];

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static ssize_t receive(int fd, int number, long deadline) {
    for (long left; (left = deadline - now()) > 0;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, left) <= 0) continue;
        ssize_t len = recv(fd, answer, sizeof answer - 1, 0);
        if (len < 0) continue;
        answer[len] = 0;
        if (atoi(answer) == number) return len;
    }
    return -1;
}

int main(void) {
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in server = {.sin_family = AF_INET};
    server.sin_port = htons(port ? atoi(port) : 9000);
    inet_pton(AF_INET, host ? host : "127.0.0.1", &server.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    connect(fd, (struct sockaddr *)&server, sizeof server); /* the kernel keeps strangers away */

    for (int number = 1; fgets(line, sizeof line, stdin); number++) {
        line[strcspn(line, "\n")] = 0;
        int head = snprintf(request, sizeof request, "%d ", number);
        int len = head + snprintf(request + head, sizeof request - head, "%s", line);
        ssize_t got = -1;
        for (int try = 0; try < TRIES && got < 0; try++) {
            long deadline = now() + WAITS;
            send(fd, request, len, 0);
            got = receive(fd, number, deadline);
        }
        if (got < 0)
            printf("no answer\n");
        else
            printf("%s\n", got > head ? answer + head : "");
    }
    return 0;
}
