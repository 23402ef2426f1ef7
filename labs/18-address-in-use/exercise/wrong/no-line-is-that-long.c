// wrong: no line is taken to be longer than the buffer
// fails: long-line
// shows: wrong, got less
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, getenv("HOST"), &here.sin_addr);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 16))
        return 1;
    for (;;) {
        char line[256];
        FILE *client = fdopen(accept(listener, NULL, NULL), "r+");
        if (client == NULL)
            return 1;
        if (fgets(line, sizeof line, client) != NULL) {
            for (char *c = line; *c; c++)
                *c = toupper((unsigned char)*c);
            send(fileno(client), line, strlen(line), 0);
        }
        fclose(client);
    }
}
