// expect: ended=Exited(0) limit=None left=2
// A child that is its parent's sibling, and one that shares its memory: Python hides such calls.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int wait_for_ever(void *nothing) {
    (void)nothing;
    for (;;)
        pause();
}

int main(void) {
    char *stack = malloc(2 * 65536);
    if (clone(wait_for_ever, stack + 65536, CLONE_PARENT | SIGCHLD, NULL) < 0)
        perror("clone");
    if (clone(wait_for_ever, stack + 2 * 65536, CLONE_VM | CLONE_UNTRACED | SIGCHLD, NULL) < 0)
        perror("clone");
    return 0;
}
