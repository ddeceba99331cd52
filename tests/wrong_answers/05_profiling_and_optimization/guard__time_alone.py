# fails: dearer in queries
import time

LIMIT = 1.15


def seconds_of(build):
    began = time.thread_time()
    build()
    return time.thread_time() - began


def dearer(candidate, reference):
    others, own = [], []
    for _ in range(15):
        others.append(seconds_of(reference))
        own.append(seconds_of(candidate))
    return min(own) > LIMIT * min(others)
