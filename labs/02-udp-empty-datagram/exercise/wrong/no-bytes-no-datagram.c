/* wrong: FIONREAD that says 0 is taken to say that nothing has come
 * fails: after-an-empty-one, empty
 * shows: spins, got nothing
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define KEPT 16

int main(void) {
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons(port ? atoi(port) : 9003);
    inet_pton(AF_INET, host ? host : "127.0.0.1", &address.sin_addr);

    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("bind");
        return 1;
    }

    char buf[KEPT], answer[64];
    for (;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        poll(&readable, 1, -1);
        int len = 0;
        ioctl(fd, FIONREAD, &len);
        if (len == 0) continue; /* nothing there */
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        ssize_t kept = recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&client, &size);
        int head = len <= KEPT ? sprintf(answer, "whole %d ", len) : sprintf(answer, "truncated ");
        memcpy(answer + head, buf, kept);
        sendto(fd, answer, head + kept, 0, (struct sockaddr *)&client, size);
    }
}
