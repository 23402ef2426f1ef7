# expect: ended=Killed(SIGXCPU) limit=Cpu left=0
# options: --cpu 1 --wall 8000
# teeth: limits
# then: limit=Wall
"""Runs for ever: what ends it where no process has a limit is the clock."""
while True:
    pass
