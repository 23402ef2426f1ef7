/* wrong: recv is taken to end what it writes with a zero byte, as fgets does
 * fails: several-lines
 * shows: what "prints", got more
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
    /* From now on the kernel tells of refusals, and keeps strangers away. */
    connect(fd, (struct sockaddr *)&server, sizeof server);
    struct timeval waits = {.tv_usec = 500000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &waits, sizeof waits);

    int code = 0;
    char line[1024], answer[1024] = "";
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        ssize_t len = send(fd, line, strlen(line), 0);
        if (len >= 0) len = recv(fd, answer, sizeof answer, 0);
        if (len >= 0) {
            printf("%s\n", answer);
        } else if (errno == ECONNREFUSED) {
            printf("nobody there\n");
            return 1;
        } else if (errno == EAGAIN) {
            printf("no answer\n");
            code = 2;
        } else {
            perror("recv");
            return 3;
        }
    }
    return code;
}
