/* wrong: the zero byte that ends a string is taken for a part of the answer
 * fails: nothing-behind
 * shows: wrong, got zeros
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        ssize_t len = recvfrom(fd, buf, sizeof buf, MSG_TRUNC, (struct sockaddr *)&client, &size);
        if (len < 0) continue;
        ssize_t kept = len < KEPT ? len : KEPT;
        int head;
        if (len == 0)
            head = sprintf(answer, "empty");
        else if (len <= KEPT)
            head = sprintf(answer, "whole %zd ", len);
        else
            head = sprintf(answer, "truncated ");
        memcpy(answer + head, buf, kept);
        answer[head + kept] = 0;
        sendto(fd, answer, head + kept + 1, 0, (struct sockaddr *)&client, size);
    }
}
