# fails: the build in which the slow place waits
import signal
from collections import Counter


def slowest(run):
    seen = Counter()

    def look(_number, frame):
        seen[frame.f_code.co_name] += 1

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, 0.002, 0.002)
    run()
    signal.setitimer(signal.ITIMER_PROF, 0)
    name, count = seen.most_common(1)[0]
    return name, count / seen.total()
