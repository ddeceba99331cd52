"""Each look sets the next one, at a random distance: no rhythm of the program can meet that of the looks."""

import random
import signal


def slowest(run):
    seen = []

    def look(_number, frame):
        seen.append(frame.f_code.co_name)
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.003))

    before = signal.signal(signal.SIGALRM, look)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    name = max(set(seen), key=seen.count)
    return name, seen.count(name) / len(seen)
