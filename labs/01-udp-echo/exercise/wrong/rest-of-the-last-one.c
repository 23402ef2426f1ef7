/* wrong: recv is taken to end what it writes with a zero byte, as fgets does
 * fails: one-after-the-other, zero-bytes
 * shows: wrong, got more
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    inet_pton(AF_INET, getenv("HOST"), &address.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
    static char buf[65536];
    for (;;) {
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        if (recvfrom(fd, buf, sizeof buf - 1, 0, (struct sockaddr *)&client, &size) < 0) continue;
        for (char *at = buf; *at; at++) *at = toupper(*at);
        sendto(fd, buf, strlen(buf), 0, (struct sockaddr *)&client, size);
    }
}
