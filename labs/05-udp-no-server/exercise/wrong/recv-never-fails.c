/* wrong: recv is taken not to fail: what it returns is not looked at
 * fails: nobody-there, server-goes-away, silence, after-silence
 * shows: exit 0, got "an empty line"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

int main(void) {
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in server = {.sin_family = AF_INET};
    server.sin_port = htons(port ? atoi(port) : 9003);
    inet_pton(AF_INET, host ? host : "127.0.0.1", &server.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    connect(fd, (struct sockaddr *)&server, sizeof server);
    struct timeval waits = {.tv_usec = 500000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &waits, sizeof waits);

    char line[1024], answer[1024];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        memset(answer, 0, sizeof answer);
        if (send(fd, line, strlen(line), 0) < 0) return 1;
        recv(fd, answer, sizeof answer - 1, 0);
        printf("%s\n", answer);
    }
    return 0;
}
