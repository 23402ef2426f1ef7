/* A time server with an allow-list. The task is in TASK.md. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static const char *formats[] = {"%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"};

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

    char buf[1024], text[64];
    for (;;) {
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&client, &size);
        /* May this be asked? */
        time_t now = time(NULL);
        strftime(text, sizeof text, formats[0], gmtime(&now));
        sendto(fd, "what time is it?", 16, 0, (struct sockaddr *)&client, size);
    }
}
