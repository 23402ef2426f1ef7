/* other: a thread for each client; SO_RCVTIMEO, so that recv returns every 50 ms */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void *talk(void *given) {
    int conn = (int)(intptr_t)given;
    char piece[1024];
    struct timeval limit = {.tv_usec = 50000};
    setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    for (;;) {
        ssize_t got = recv(conn, piece, sizeof piece, 0);
        if (got < 0 && errno == EAGAIN)
            continue;
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got; i++)
            if (piece[i] >= 'a' && piece[i] <= 'z')
                piece[i] -= 'a' - 'A';
        for (ssize_t sent = 0, now; sent < got; sent += now)
            if ((now = send(conn, piece + sent, (size_t)(got - sent), 0)) < 0)
                goto gone;
    }
gone:
    close(conn);
    return NULL;
}

int main(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(getenv("PORT")))};
    inet_pton(AF_INET, getenv("HOST"), &here.sin_addr);
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, SOMAXCONN)) {
        perror("server");
        return 1;
    }
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        pthread_t thread;
        if (conn >= 0 && pthread_create(&thread, NULL, talk, (void *)(intptr_t)conn) == 0)
            pthread_detach(thread);
    }
}
