/* Empty, whole or truncated. The task is in TASK.md. */

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

    char buf[KEPT];
    for (;;) {
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&client, &size);
        /* Is this nothing, all, or a beginning? */
        sendto(fd, "?", 1, 0, (struct sockaddr *)&client, size);
    }
}
