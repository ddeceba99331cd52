"""Several pieces of work, timed in turns, so that all of them meet the same machine.

A time alone says as much about the machine as about the code. In each round every piece of work runs once,
and what is compared is the rounds: a slow second hits all of them.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from statistics import quantiles

from prodigon_lib.workshop.checks.timing import collector_off


@dataclass(frozen=True)
class Gain:
    """How many times as fast: the median of the rounds; their middle half is from `low` to `high`."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Turns:
    """The seconds of each piece of work in each round."""

    seconds: Mapping[str, list[float]]

    def gain(self, name: str, over: str) -> Gain:
        """How many times as fast one is as the other."""
        rounds = zip(self.seconds[over], self.seconds[name], strict=True)
        low, middle, high = quantiles([slow / quick for slow, quick in rounds], n=4)
        return Gain(middle, low, high)


async def in_turns(
    works: Mapping[str, Callable[[], Awaitable[object]]],
    *,
    rounds: int = 7,
    clock: Callable[[], float] = time.perf_counter,
) -> Turns:
    """Each of them once in each round; who begins moves on. Each runs once before anything is timed.

    Raises:
        ValueError: fewer than three rounds.
    """
    if rounds < 3:
        raise ValueError(f"a spread needs three rounds or more, not {rounds}")
    for work in works.values():
        await work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for first in range(rounds):
        names = list(works)
        turn = first % len(names)
        for name in names[turn:] + names[:turn]:
            with collector_off():
                began = clock()
                await works[name]()
                seconds[name].append(clock() - began)
    return Turns(seconds)
