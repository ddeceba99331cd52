"""Clocks, used with care: a ratio of two pieces of work in interleaved runs, after measuring the machine.

A laptop's speed changes by the second: other programs, heat, a battery. A time alone says little. Here the
candidate and the reference take turns, so that both meet the same machine; the reference runs twice in each
round, and when its two series differ, the machine is too noisy to judge anybody on it.
"""

import gc
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import linear_regression, median, quantiles

STEADY = 0.15
LEAST_ROUNDS = 7
ATTEMPTS = 3


class Noisy(Exception):
    """The machine is too busy to judge anybody on it: try again.

    Args:
        noise: what was seen, as a fraction.
        most: what it may be.
    """

    def __init__(
        self, noise: float, seen: str = "two series of the same code differed by", *, most: float = STEADY
    ) -> None:
        super().__init__(f"{seen} {noise:.0%}")
        self.most = most
        self.noise = noise


@dataclass(frozen=True)
class Ratio:
    """How many times as fast the candidate is as the reference, seen in `rounds` interleaved rounds.

    Args:
        noise: by how much the reference's own two series differed, as a fraction of the faster.
        candidate_seconds, reference_seconds: medians.
        low, high: the middle half of the rounds lies between these two.
    """

    value: float
    noise: float
    rounds: int
    candidate_seconds: float
    reference_seconds: float
    low: float
    high: float


def interleaved_ratio(
    candidate: Callable[[], object],
    reference: Callable[[], object],
    *,
    rounds: int = LEAST_ROUNDS,
    clock: Callable[[], float] = time.perf_counter,
    steady: float = STEADY,
) -> Ratio:
    """The reference's time over the candidate's: 2 means that the candidate takes half as long.

    Each is called once before anything is timed. A noisy series is measured again, up to three times.

    Args:
        steady: how much the reference's own two series may differ; `math.inf` where nobody is judged.

    Raises:
        Noisy: they differed by more, each time.
        ValueError: fewer than seven rounds.
    """

    def timed(work: Callable[[], object]) -> float:
        with collector_off():
            began = clock()
            work()
            return clock() - began

    candidate()
    reference()
    noise = 0.0
    for _ in range(ATTEMPTS):
        series = Series(rounds)
        for place in range(rounds):
            for lane in series.order(place):
                series.add(lane, timed(candidate if lane == "candidate" else reference))
        noise = series.noise
        if noise <= steady:
            return series.ratio()
    raise Noisy(noise)


async def interleaved_ratio_async(
    candidate: Callable[[], Awaitable[object]],
    reference: Callable[[], Awaitable[object]],
    *,
    rounds: int = LEAST_ROUNDS,
    clock: Callable[[], float] = time.perf_counter,
    steady: float = STEADY,
) -> Ratio:
    """`interleaved_ratio` of two coroutine functions."""

    async def timed(work: Callable[[], Awaitable[object]]) -> float:
        with collector_off():
            began = clock()
            await work()
            return clock() - began

    await candidate()
    await reference()
    noise = 0.0
    for _ in range(ATTEMPTS):
        series = Series(rounds)
        for place in range(rounds):
            for lane in series.order(place):
                series.add(lane, await timed(candidate if lane == "candidate" else reference))
        noise = series.noise
        if noise <= steady:
            return series.ratio()
    raise Noisy(noise)


LANES = ("reference", "candidate", "again")


class Series:
    """The times of one attempt: the candidate's, and the reference's two."""

    def __init__(self, rounds: int) -> None:
        if rounds < LEAST_ROUNDS:
            raise ValueError(f"a ratio needs {LEAST_ROUNDS} rounds or more, not {rounds}")
        self.times: dict[str, list[float]] = {lane: [] for lane in LANES}

    def order(self, place: int) -> tuple[str, ...]:
        """Who runs in which order in this round: it turns, so that no lane always runs first."""
        turn = place % len(LANES)
        return LANES[turn:] + LANES[:turn]

    def add(self, lane: str, seconds: float) -> None:
        self.times[lane].append(seconds)

    @property
    def noise(self) -> float:
        one, other = median(self.times["reference"]), median(self.times["again"])
        return max(one, other) / max(min(one, other), 1e-9) - 1

    def ratio(self) -> Ratio:
        """The median over the rounds of each round's own ratio, so that a slow second hits both sides."""
        rounds = zip(self.times["reference"], self.times["again"], self.times["candidate"], strict=True)
        each = [(one + other) / 2 / max(candidate, 1e-9) for one, other, candidate in rounds]
        both = self.times["reference"] + self.times["again"]
        candidate = median(self.times["candidate"])
        low, _, high = quantiles(each, n=4)
        return Ratio(median(each), self.noise, len(each), candidate, median(both), low, high)


@contextmanager
def collector_off() -> Iterator[None]:
    """Without the garbage collector, which would charge one run for what another left."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def growth(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The exponent k of the fit cost ~ size^k: 0 constant, 1 linear, 2 quadratic.

    Raises:
        ValueError: fewer than three points, or one that is not positive.
    """
    if len(sizes) < 3 or min(*sizes, *costs) <= 0:
        raise ValueError("growth needs three or more positive points")
    return linear_regression([math.log(s) for s in sizes], [math.log(c) for c in costs]).slope
