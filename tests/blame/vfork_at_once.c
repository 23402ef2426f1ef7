// check: 30 one-message
// kind: hangs
// Its first process waits for a child that never becomes a program, in a sleep that nothing can disturb.
#include <unistd.h>

int main(void) {
    if (vfork() == 0)
        for (;;) pause();
}
