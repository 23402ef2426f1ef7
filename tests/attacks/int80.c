// expect: ended=Exited(0) limit=None left=0
// needs: 32-bit calls
// teeth: seccomp
// Makes system calls by the gate of 32-bit programs, whose numbers are others: a filter for 64 bits would take them for
// harmless ones.
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
#ifdef __x86_64__
    pid_t child = fork();
    if (child == 0) {
        long returned;
        // getpid(2) there, and a part of execve(2) here.
        __asm__ volatile("int $0x80" : "=a"(returned) : "a"(20L) : "memory");
        _exit(returned == getpid() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        puts("escaped: the kernel answers to it");
    else
        printf("stopped by signal %d\n", WTERMSIG(status));
#endif
    return 0;
}
