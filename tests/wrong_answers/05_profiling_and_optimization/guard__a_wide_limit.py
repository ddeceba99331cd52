# fails: 30 % dearer in
import time
from statistics import median

LIMIT = 1.5


def seconds_of(build):
    began = time.thread_time()
    build()
    return time.thread_time() - began


def dearer(candidate, reference):
    ratio = median(1 / (seconds_of(reference) / seconds_of(candidate)) for _ in range(25))
    return candidate() > LIMIT * reference() or ratio > LIMIT
