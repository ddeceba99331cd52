"""One slow replica under each policy, and one killed under load."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodigon_lib.stack.simulated import SimulatedModel
from prodigon_lib.workshop.comparison_plots import paired_bars, stacked_bars
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.load_plots import latency_over_time
from prodigon_lib.workshop.load_result import LoadResult
from prodigon_lib.workshop.picture import Picture
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Answer, Target, Targets

if TYPE_CHECKING:
    from prodigon_lib.stack import Stack

REQUESTS, IN_FLIGHT = 144, 24
ASKED = {"prompt": "What does a balancer do?", "max_tokens": 8}
SLOW = "model-3"
SETTLE_SECONDS = 0.3
"""On a busy machine nginx's old process may still take a connection just after a change, and close it."""

LATE_SECONDS = 0.44
STALL = {"stall_rate": 1.0, "stall_seconds": LATE_SECONDS, "stall_after": 0}
"""A first token comes after a good tenth of a second otherwise: about five times as long."""

NO_FAULTS = {"stall_rate": 0.0}
KILLED = "model-2"
KILL_REQUESTS, KILL_IN_FLIGHT = 240, 30
REVIVED_SECONDS = 20.0
PLACES = 16
"""Among so many requests in a row is one for each place that there is."""


@dataclass(frozen=True)
class Dealt:
    """One load under one policy, and how many of its requests each replica answered."""

    name: str
    shares: Mapping[str, int]
    load: LoadResult

    @property
    def slow_share(self) -> float:
        """Of all requests, those that the slow replica answered."""
        return self.shares[SLOW] / sum(self.shares.values())

    @property
    def late(self) -> int:
        """How many waited as long as only the slow replica makes wait, or a machine that is busy."""
        return sum(sample.service_time > LATE_SECONDS for sample in self.load.answered)

    def percentile(self, percent: float) -> float:
        """In milliseconds."""
        return 1000 * self.load.service_times().percentile(percent)


async def under_each(stack: "Stack", policies: Mapping[str, Mapping[str, Any]]) -> list[Dealt]:
    """The same load under each policy, with the third replica five times slower than the others.

    Args:
        policies: what `stack.balancer.set` is given, by a name for the plots. Each stays until the next.
    """
    slow = SimulatedModel([stack.urls[SLOW]])
    before = await asyncio.to_thread(stack.balancer.get)
    await asyncio.to_thread(slow.set, faults=STALL)
    try:
        return [await dealt(stack, name, wish) for name, wish in policies.items()]
    finally:
        await asyncio.to_thread(slow.set, faults=NO_FAULTS)
        await asyncio.to_thread(stack.balancer.set, **before)


async def dealt(stack: "Stack", name: str, wish: Mapping[str, Any]) -> Dealt:
    await asyncio.to_thread(stack.balancer.set, **wish)
    await asyncio.sleep(SETTLE_SECONDS)
    before = await asyncio.to_thread(stack.balancer.answered)
    target = Target(f"{stack.urls['nginx-model']}/inference", ASKED)
    load = await closed_loop(target, in_flight=IN_FLIGHT, count=REQUESTS)
    after = await asyncio.to_thread(stack.balancer.answered)
    return Dealt(name, {replica: after[replica] - before[replica] for replica in after}, load)


def shares_plot(runs: Sequence[Dealt], *, guess: float) -> Picture:
    """Who answered what, and the share that a learner expected of the slow one under least connections."""
    rows = {run.name: {SLOW: float(run.shares[SLOW])} | others(run) for run in runs}
    return stacked_bars(rows, unit="requests", title=f"Who answered; {SLOW} is slow", guess=guess * REQUESTS)


def others(run: Dealt) -> dict[str, float]:
    return {name: float(count) for name, count in run.shares.items() if name != SLOW}


def latency_plot(runs: Sequence[Dealt]) -> Picture:
    rows = {run.name: [run.percentile(percent) for percent in (50, 90, 99)] for run in runs}
    return paired_bars(rows, names=["p50", "p90", "p99"], unit="milliseconds", title="What callers wait")


def dealt_table(runs: Sequence[Dealt]) -> Table:
    rows = [
        (
            run.name, f"{run.slow_share:.0%}", run.late, *(run.percentile(p) for p in (50, 90, 99)),
            run.load.throughput, len(run.load.samples) - len(run.load.answered),
        )
        for run in runs
    ]  # fmt: skip
    head = [
        "policy",
        "slow one's share",
        "waited long",
        "p50, ms",
        "p90, ms",
        "p99, ms",
        "answered a second",
        "failed",
    ]
    return Table(head, rows)


Place = Callable[[int], str]
"""The base URL that request number n is sent to."""


@dataclass(frozen=True)
class Kill:
    """A load in which a replica was killed; `again` is how many requests nginx sent to a second replica."""

    load: LoadResult
    again: int

    @property
    def failed(self) -> int:
        return len(self.load.samples) - len(self.load.answered)


async def killed_under_load(stack: "Stack", place: Place) -> Kill:
    """Completions, thirty in flight, and one of three replicas killed after the first third.

    Returns once that replica is back.
    """
    before = len(await asyncio.to_thread(sent_again, stack))
    ended = 0
    third = asyncio.Event()

    async def kill() -> None:
        await third.wait()
        await asyncio.to_thread(stack.kill, KILLED)

    targets = {url: Targets(Target(f"{url}/inference", ASKED)) for url in map(place, range(PLACES))}
    async with AsyncExitStack() as open_ones:
        for each in targets.values():
            await open_ones.enter_async_context(each)

        async def call(number: int) -> Answer:
            nonlocal ended
            answer = await targets[place(number)].send(number)
            ended += 1
            if ended == KILL_REQUESTS // 3:
                third.set()
            return answer

        load, _ = await asyncio.gather(
            closed_loop(call, in_flight=KILL_IN_FLIGHT, count=KILL_REQUESTS), kill()
        )
    await whole_again(stack)
    return Kill(load, len(await asyncio.to_thread(sent_again, stack)) - before)


def sent_again(stack: "Stack") -> list[str]:
    """By nginx's log, the requests that more than one replica was sent."""
    rows = stack.logs("nginx", tail=None)
    sizes = ((row["request_id"], str(row.get("sent", "")).split(", ")) for row in rows if "sent" in row)
    return [request for request, sent in sizes if sum(size not in ("0", "-", "") for size in sent) > 1]


async def whole_again(stack: "Stack") -> None:
    """Until every replica is asked again: nginx leaves one that failed alone for a while.

    Raises:
        TimeoutError: it takes too long.
    """
    end = asyncio.get_running_loop().time() + REVIVED_SECONDS
    async with Targets(Target(f"{stack.urls['nginx-model']}/models")) as targets:
        while asyncio.get_running_loop().time() < end:
            before = await asyncio.to_thread(stack.balancer.answered)
            for number in range(3 * len(before)):
                await targets.send(number)
            after = await asyncio.to_thread(stack.balancer.answered)
            if all(after[name] > before[name] for name in before):
                return
            await asyncio.sleep(0.2)
    raise TimeoutError("a replica did not come back")


def kill_plot(kills: Mapping[str, Kill]) -> Picture:
    return latency_over_time(
        {name: kill.load for name, kill in kills.items()},
        from_meant=False,
        title="A replica is killed after a third of the load",
    )
