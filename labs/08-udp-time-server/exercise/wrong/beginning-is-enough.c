/* wrong: strncmp is taken to compare the whole
 * fails: nearly-a-format, zero-byte
 * shows: what "a part of a format"
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static const char *formats[] = {"%Y-%m-%d %H:%M:%S", "%Y %m %d", "%Y年%m月%d日", "%H:%M:%S"};

/* The format that is asked for, or NULL. */
static const char *asked(const char *question, size_t len) {
    if (len == 0) return formats[0];
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strncmp(question, formats[i], len) == 0) return formats[i];
    return NULL;
}

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

    char question[1024], text[64];
    for (;;) {
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        ssize_t len = recvfrom(fd, question, sizeof question, 0, (struct sockaddr *)&client, &size);
        if (len < 0) continue;
        const char *format = asked(question, len);
        time_t now = time(NULL);
        size_t length = format ? strftime(text, sizeof text, format, gmtime(&now)) : 0;
        sendto(fd, text, length, 0, (struct sockaddr *)&client, size);
    }
}
