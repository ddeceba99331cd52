"""Load for lessons: many requests at a service of your own machine, in two ways that differ in what they see.

A closed loop keeps N requests in flight: who waits for an answer sends nothing meanwhile, so a slow service
is asked less, and its worst moments are hardly seen. An open loop sends at its own times, as people do. Each
sample keeps when it was meant to be sent and when it was, so that both latencies can be shown.
"""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from prodigon_lib.workshop.load_result import LoadResult, Sample
from prodigon_lib.workshop.targets import Answer, Target, Targets

MOST_REQUESTS = 100_000
MOST_SECONDS = 120.0
MOST_IN_FLIGHT = 2_000
LAST_SECONDS = 10.0
"""How long what is under way at the end may take to finish; what has not by then has failed."""

Call = Callable[[int], Awaitable[Answer | None]]
"""Sends request number n, of anything: gRPC, a function. An error that it raises is a failed request."""


@dataclass(frozen=True)
class Bounds:
    """When a load ends: after `count` requests, or when `seconds` are over; whatever comes first."""

    count: int
    seconds: float

    @classmethod
    def of(cls, count: int | None, seconds: float | None) -> "Bounds":
        """Raises `ValueError`: neither is given, or one is beyond what a laptop should do to itself."""
        if count is None and seconds is None:
            raise ValueError("a load needs an end: count, seconds, or both")
        bounds = cls(MOST_REQUESTS if count is None else count, MOST_SECONDS if seconds is None else seconds)
        if not 0 < bounds.count <= MOST_REQUESTS or not 0 < bounds.seconds <= MOST_SECONDS:
            raise ValueError(f"1 to {MOST_REQUESTS:,} requests, and up to {MOST_SECONDS:g} seconds")
        return bounds


async def closed_loop(
    target: Target | Call,
    *,
    in_flight: int,
    count: int | None = None,
    seconds: float | None = None,
    every: float | None = None,
) -> LoadResult:
    """Keep `in_flight` requests under way until the end.

    Args:
        every: how often each of them means to send, in seconds; one that waits for an answer past that time
            sends late, and the sample keeps both times. Without it, each sends as soon as it can.

    Raises:
        ValueError: the target is not on this machine, or there is no end.
    """
    bounds = Bounds.of(count, seconds)
    if not 1 <= in_flight <= min(MOST_IN_FLIGHT, bounds.count):
        raise ValueError(f"in flight: 1 to {MOST_IN_FLIGHT:,}, and no more than requests")
    numbers = iter(range(bounds.count))
    async with caller(target) as call:
        run = Recorder(call, bounds.seconds + LAST_SECONDS)

        async def lane(offset: float) -> None:
            for turn in itertools.count():
                meant = run.now() if every is None else offset + turn * every
                if meant >= bounds.seconds:
                    return
                if every is not None:
                    await asyncio.sleep(max(0.0, meant - run.now()))
                number = next(numbers, None)
                if number is None:
                    return
                await run.send(number, meant)

        # Spread over one interval, so that the lanes do not send in step.
        lanes = [lane((every or 0.0) * place / in_flight) for place in range(in_flight)]
        await asyncio.gather(*lanes)
        return run.result(f"closed loop, {in_flight} in flight")


async def open_loop(
    target: Target | Call,
    *,
    rate: float,
    count: int | None = None,
    seconds: float | None = None,
    arrivals: str = "poisson",
    seed: int = 0,
    most_in_flight: int = MOST_IN_FLIGHT,
) -> LoadResult:
    """Send `rate` requests a second on average, whether or not earlier ones were answered.

    Args:
        arrivals: `poisson`, as independent people come, or `even`.
        seed: of the times between arrivals.
        most_in_flight: beyond it requests wait here; that time is theirs too, as meant and sent differ.

    Raises:
        ValueError: the target is not on this machine, or there is no end.
    """
    bounds = Bounds.of(count, seconds)
    if rate <= 0 or arrivals not in ("poisson", "even") or not 1 <= most_in_flight <= MOST_IN_FLIGHT:
        raise ValueError("rate must be positive, and arrivals 'poisson' or 'even'")
    free = asyncio.Semaphore(most_in_flight)
    async with caller(target) as call, asyncio.TaskGroup() as group:
        run = Recorder(call, bounds.seconds + LAST_SECONDS)

        async def send(number: int, meant: float) -> None:
            async with free:
                await run.send(number, meant)

        for number, meant in enumerate(itertools.islice(times(rate, arrivals, seed), bounds.count)):
            if meant >= bounds.seconds:
                break
            await asyncio.sleep(max(0.0, meant - run.now()))
            group.create_task(send(number, meant))
        offered = f"open loop, {rate:g} a second"
    return run.result(offered)


def times(rate: float, arrivals: str, seed: int) -> Iterator[float]:
    """When each request is meant to be sent, in seconds since the start; without end."""
    draw = random.Random(seed)
    meant = 0.0
    while True:
        yield meant
        meant += draw.expovariate(rate) if arrivals == "poisson" else 1 / rate


@asynccontextmanager
async def caller(target: Target | Call) -> AsyncIterator[Call]:
    """What sends one request: the caller's own function, or HTTP over connections that are kept open."""
    if not isinstance(target, Target):
        yield target
        return
    async with Targets(target) as targets:
        yield targets.send


class Recorder:
    """Sends requests and writes down what became of each; those under way at second `end` are cut off."""

    def __init__(self, call: Call, end: float) -> None:
        self._call, self._end = call, end
        self._began = time.perf_counter()
        self._samples: list[Sample] = []

    def now(self) -> float:
        """Seconds since the load began."""
        return time.perf_counter() - self._began

    async def send(self, number: int, meant: float) -> None:
        sent = self.now()
        try:
            async with asyncio.timeout(self._end - sent) as limit:
                answer = await self._call(number) or Answer()
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                error = TimeoutError("unfinished when the load ended")
            answer = Answer(error=f"{type(error).__name__}: {error}".removesuffix(": "))
        ended = self.now()
        first = None if answer.first is None else answer.first - self._began
        self._samples.append(Sample(number, meant, sent, ended, first, replace(answer, first=None)))

    def result(self, offered: str) -> LoadResult:
        return LoadResult(offered, sorted(self._samples, key=lambda sample: sample.number), self.now())
