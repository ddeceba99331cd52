# fails: false alarms
import time
from statistics import median

LIMIT = 1.15


def seconds_of(build):
    began = time.thread_time()
    build()
    return time.thread_time() - began


def dearer(candidate, reference):
    if candidate() > LIMIT * reference():
        return True
    others = [seconds_of(reference) for _ in range(15)]
    own = [seconds_of(candidate) for _ in range(15)]
    return median(own) > LIMIT * median(others)
