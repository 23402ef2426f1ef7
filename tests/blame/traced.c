// check: 30 one-message
// kind: hangs
// A child that has itself traced, and stops.
#include <signal.h>
#include <sys/ptrace.h>
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
    accept(listening(), 0, 0);
    if (fork() == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
    }
    for (;;) pause();
}
