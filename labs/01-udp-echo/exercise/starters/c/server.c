/* A UDP echo server. The task is in TASK.md. */

#include <arpa/inet.h>
#include <ctype.h>
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

    char buf[1024];
    for (;;) {
        /* What comes, and from where? Answer in capital letters. */
        recv(fd, buf, sizeof buf, 0);
    }
}
