"""The median of the ratios of many rounds, of which each is measured in both orders."""

import time
from statistics import median


def seconds_of(build):
    began = time.process_time()
    queries = build()
    return time.process_time() - began, queries


def dearer(candidate, reference):
    ratios = []
    for _ in range(100):
        one, queries = seconds_of(reference)
        other, own_queries = seconds_of(candidate)
        if own_queries > queries * 1.15:
            return True
        ratios.append(other / one)
    return median(ratios) > 1.15
