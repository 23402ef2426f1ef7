/* wrong: a datagram is taken for a string, which a zero byte ends
 * fails: any-bytes
 * shows: wrong, got less
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
        head += sprintf(answer + head, "%.*s", (int)kept, buf);
        sendto(fd, answer, head, 0, (struct sockaddr *)&client, size);
    }
}
