# fails: in 20 runs
import time
from statistics import mean

LIMIT = 1.15


def seconds_of(build):
    began = time.thread_time()
    build()
    return time.thread_time() - began


def dearer(candidate, reference):
    if candidate() > LIMIT * reference():
        return True
    others, own = [], []
    for _ in range(8):
        others.append(seconds_of(reference))
        own.append(seconds_of(candidate))
    return mean(own) > LIMIT * mean(others)
