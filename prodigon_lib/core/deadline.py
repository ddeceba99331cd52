"""How long the caller still waits. What a request does is bounded by it, on this hop and on those behind.

Each hop sends what is left of its own budget, so that it shrinks on its way, and nobody works for a caller
who has given up.
"""

import time
from contextvars import ContextVar

DEADLINE_HEADER = "X-Deadline-Ms"
"""Milliseconds that the sender still waits. A time of day would need clocks that agree."""

LONGEST_HEADER = 10

current_deadline: ContextVar[float | None] = ContextVar("current_deadline", default=None)
"""The moment, on the monotonic clock, after which nobody waits any more."""


def allowed(seconds: float) -> float:
    """Of `seconds`, what the caller still waits for; 0 when it waits no more."""
    deadline = current_deadline.get()
    return seconds if deadline is None else max(0.0, min(seconds, deadline - time.monotonic()))


def remaining() -> float | None:
    """Seconds that the caller still waits; `None` when it did not say."""
    deadline = current_deadline.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def deadline_from(header: str) -> float | None:
    """The moment that a header means from now on; `None` when it means nothing."""
    if not header.isascii() or not header.isdigit() or len(header) > LONGEST_HEADER:
        return None
    return time.monotonic() + int(header) / 1000


def as_header(seconds: float) -> str:
    return str(int(seconds * 1000))
