"""Limits of the process itself."""

import resource


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
