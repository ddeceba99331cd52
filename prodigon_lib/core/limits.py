"""Limits and habits of the process itself."""

import gc
import resource

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
