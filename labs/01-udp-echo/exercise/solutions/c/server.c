/* A UDP echo server. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(void) {
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons(port ? atoi(port) : 9000);
    inet_pton(AF_INET, host ? host : "127.0.0.1", &address.sin_addr);

    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("bind");
        return 1;
    }

    static char buf[65535];
    for (;;) {
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        ssize_t len = recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&client, &size);
        if (len < 0) continue;
        for (ssize_t i = 0; i < len; i++)
            if (buf[i] >= 'a' && buf[i] <= 'z') buf[i] -= 'a' - 'A';
        sendto(fd, buf, len, 0, (struct sockaddr *)&client, size);
    }
}
