/* other: a write on a socket that blocks takes all, so it stands in no loop; a process for each client, waited for */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void talk(int conn)
{
    char buf[1024];
    ssize_t len;
    while ((len = read(conn, buf, sizeof buf)) > 0) {
        for (ssize_t at = 0; at < len; at++)
            buf[at] = toupper((unsigned char)buf[at]);
        if (write(conn, buf, len) < 0)
            return;
    }
}

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, getenv("HOST"), &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 16))
        return 1;
    for (;;) {
        int conn = accept(listener, NULL, NULL);
        if (conn < 0)
            return 1;
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (fork() == 0) {
            close(listener);
            talk(conn);
            _exit(0);
        }
        close(conn);
    }
}
