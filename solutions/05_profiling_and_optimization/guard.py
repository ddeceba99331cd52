"""Exercise 5.3: a guard that fails when a build became dearer, and only then.

`dearer(candidate, reference)` is what a test would ask before a release. Both arguments are builds of the
same service. A call of one does one request, and returns how many queries it sent.

Dearer means more than 15 % above the reference, in queries or in processor time. The machine is shared, as
those that run tests are: now and then a request costs twice as much, and the speed drifts from one moment
to the next.

Done when, in twenty runs of each, the guard passes another copy of the good build and one that is cheaper,
and catches three that are 30 % dearer: in Python code, in C code, and in queries. A call may take half a
second.
"""

import time
from collections.abc import Callable

Build = Callable[[], int]
LIMIT = 1.15
ROUNDS = 100


def seconds_of(build: Build) -> float:
    """Processor time of one request; time in which another program had the core is not in it."""
    began = time.thread_time()
    build()
    return time.thread_time() - began


def dearer(candidate: Build, reference: Build) -> bool:
    """Whether a request of `candidate` costs over 15 % more than one of `reference`."""
    # <gap> Counts first: compare the queries of one request each.
    # A count has no noise, so one request is enough, and no machine can make it wrong.
    if candidate() > LIMIT * reference():
        return True
    # </gap>
    # <gap> Then time: many requests of each, so taken and so summed up that outliers and drift hit no side.
    ratios = []
    for _ in range(ROUNDS):
        # In turns: both sides meet the same drift. All of one and then all of the other would not.
        before = seconds_of(reference)
        ratios.append(seconds_of(candidate) / before)
    # The middle one: a few slow requests would move a mean, and a few quick ones the least of each side, for
    # a processor has moments in which it is twice as fast.
    return sorted(ratios)[ROUNDS // 2] > LIMIT
    # </gap>
