# fails: 30 % dearer in
import time

LIMIT = 1.5


def seconds_of(build):
    began = time.thread_time()
    build()
    return time.thread_time() - began


def dearer(candidate, reference):
    others, own = [], []
    for _ in range(15):
        others.append(seconds_of(reference))
        own.append(seconds_of(candidate))
    return candidate() > LIMIT * reference() or min(own) > LIMIT * min(others)
