/* other: poll with a deadline, a socket that is not connected, output that is buffered until the end */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(void) {
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(getenv("PORT")))}, from;
    inet_pton(AF_INET, getenv("HOST"), &server.sin_addr);
    int sock = socket(AF_INET, SOCK_DGRAM, 0);
    static char line[10000], request[11000], answer[65536];
    for (int number = 1; fgets(line, sizeof line, stdin); number++) {
        int head = sprintf(request, "%d ", number);
        size_t text = strcspn(line, "\n"), len = (size_t)head + text;
        memcpy(request + head, line, text);
        ssize_t got = -1;
        for (int tries = 0; tries < 3 && got < 0; tries++) {
            sendto(sock, request, len, 0, (struct sockaddr *)&server, sizeof server);
            for (long end = now() + 200, left; got < 0 && (left = end - now()) > 0;) {
                struct pollfd it = {.fd = sock, .events = POLLIN};
                socklen_t size = sizeof from;
                if (poll(&it, 1, (int)left) == 0)
                    break;
                got = recvfrom(sock, answer, sizeof answer, 0, (struct sockaddr *)&from, &size);
                int right = got >= head && memcmp(answer, request, (size_t)head) == 0;
                if (!right || from.sin_port != server.sin_port || from.sin_addr.s_addr != server.sin_addr.s_addr)
                    got = -1;
            }
        }
        if (got < 0)
            puts("no answer");
        else
            printf("%.*s\n", (int)(got - head), answer + head);
    }
    return 0;
}
