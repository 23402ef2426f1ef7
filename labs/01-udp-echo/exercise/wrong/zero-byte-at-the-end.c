/* wrong: the zero byte that ends a string is taken for a part of the datagram
 * fails: nothing-behind, largest-datagram
 * shows: wrong, got zeros, got 7 bytes
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
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
        ssize_t len = recvfrom(fd, buf, sizeof buf - 1, 0, (struct sockaddr *)&client, &size);
        if (len < 0) continue;
        buf[len] = 0;
        for (ssize_t i = 0; i < len; i++) buf[i] = toupper(buf[i]);
        sendto(fd, buf, len + 1, 0, (struct sockaddr *)&client, size);
    }
}
