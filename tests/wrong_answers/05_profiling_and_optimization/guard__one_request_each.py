# fails: false alarms
import time

LIMIT = 1.15


def seconds_of(build):
    began = time.thread_time()
    build()
    return time.thread_time() - began


def dearer(candidate, reference):
    if candidate() > LIMIT * reference():
        return True
    return seconds_of(candidate) > LIMIT * seconds_of(reference)
