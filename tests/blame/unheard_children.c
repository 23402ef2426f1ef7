// check: 30 one-message
// kind: spins
// Children without end that nobody waits for: the kernel forgets what they used.
#define _GNU_SOURCE
#include <signal.h>
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

int main(void) {
    struct sigaction unheard = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
    sigaction(SIGCHLD, &unheard, 0);
    accept(listening(), 0, 0);
    for (;;) {
        if (fork() == 0) _exit(0);
        usleep(200);
    }
}
