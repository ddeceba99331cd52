"""A clock that a test sets, for whatever takes one."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Seconds, which pass only where the test says so: `clock.now += 5`."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
