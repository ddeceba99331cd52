# fails: dearer in queries
import time
from statistics import median

LIMIT = 1.15


def seconds_of(build):
    began = time.thread_time()
    build()
    return time.thread_time() - began


def dearer(candidate, reference):
    return median(1 / (seconds_of(reference) / seconds_of(candidate)) for _ in range(60)) > LIMIT
