# expect: ended=Killed(SIGXCPU) limit=Cpu left=0
# options: --cpu 1 --wall 20000
"""Runs for ever."""
while True:
    pass
