"""Limits and habits of the process itself."""

import gc
import resource
import sys

import psutil

GARBAGE_AFTER = 20_000
"""New objects until the collector looks at them."""


def raise_open_files() -> int:
    """Raise the soft limit of open files to the hard one; returns the limit that now holds.

    A gateway holds two sockets a stream; the usual soft limit of 1,024 would end at 500 streams.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):  # macOS may refuse an unlimited value
        return soft
    return hard


def spare_the_collector() -> None:
    """Take all that the start has made out of the garbage collector's sight; call it once, before serving.

    It lives as long as the process. Looked at again and again, it costs a busy gateway a fifth of its time.
    What serving makes is looked at more rarely than Python would: its 700 new objects are those of a dozen
    requests that still run, so that each look finds them alive. Nearly all of them go without a collector.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


def limit_growth(more: int) -> int | None:
    """Let this process allocate at most `more` bytes beyond what it has: then it gets a `MemoryError`.

    By RLIMIT_DATA: with it Linux counts what the process alone may write, heap and anonymous mappings.
    RLIMIT_AS counts addresses, and a service has several times as many as memory: arenas set aside for
    threads, files that are mapped. Returns the limit, or `None` on other systems, where neither stops a heap.
    """
    if sys.platform != "linux":
        return None
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = int(psutil.Process().memory_info().data) + more
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    return limit
