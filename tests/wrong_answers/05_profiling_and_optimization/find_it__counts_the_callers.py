# fails: the build in which
import signal
from collections import Counter


def slowest(run):
    seen, looks = Counter(), 0

    def look(_number, frame):
        nonlocal looks
        looks += 1
        while frame is not None and frame.f_code.co_filename == "build":
            seen[frame.f_code.co_name] += 1
            frame = frame.f_back

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    run()
    signal.setitimer(signal.ITIMER_REAL, 0)
    name, count = seen.most_common(1)[0]
    return name, count / looks
