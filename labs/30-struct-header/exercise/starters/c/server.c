/* A server with a header of four bytes. The task is in TASK.md. */

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Makes a socket that listens on HOST and PORT. */
static int listens(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8080)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, host ? host : "127.0.0.1", &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 5) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return listener;
}

static void serve(int conn)
{
    uint32_t header = 0;
    ssize_t len = recv(conn, &header, sizeof header, 0);
    printf("%zd bytes of a header: %u\n", len, ntohl(header));
    /* Read the text that it announces; answer in capital letters, with a header of your own. */
}

int main(void)
{
    int listener = listens();
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        if (conn < 0) {
            perror("accept");
            return 1;
        }
        serve(conn);
        close(conn);
    }
}
