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
    # TODO Counts first: compare the queries of one request each.
    raise NotImplementedError
    # TODO Then time: many requests of each, so taken and so summed up that outliers and drift hit no side.
    raise NotImplementedError
