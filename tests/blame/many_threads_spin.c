// check: 30 one-message
// kind: spins
// As many threads as it may have, all of which spin: they take the processors from each other.
#include <pthread.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int listening(void) {
    struct sockaddr_in address = { AF_INET, htons(atoi(getenv("PORT"))), { htonl(INADDR_LOOPBACK) }, { 0 } };
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 16);
    return listener;
}

static void *spin(void *unused) {
    for (;;)
        ;
    return unused;
}

int main(void) {
    accept(listening(), 0, 0);
    for (int count = 0; count < 60; count++) {
        pthread_t thread;
        pthread_create(&thread, 0, spin, 0);
    }
    spin(0);
}
