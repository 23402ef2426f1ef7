// check: 30 one-message
// kind: hangs
// The same once it has accepted a client.
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
    if (vfork() == 0)
        for (;;) pause();
}
