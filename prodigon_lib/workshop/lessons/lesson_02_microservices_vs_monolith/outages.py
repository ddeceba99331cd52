"""Watches a stack from outside while something happens to it: what the users of each part get."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import psutil

from prodigon_lib.stack import Stack
from prodigon_lib.workshop.load import open_loop
from prodigon_lib.workshop.load_result import LoadResult, Sample
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Target, Targets

RATE = 20.0
"""Requests a second at each endpoint: a failure is seen within a twentieth of a second."""

PATIENCE = 2.0
HAPPENS_AT = 1.0
POLL = 0.02
MEGABYTE = 1e6

Happening = Callable[[Stack], Awaitable[object]]


@dataclass(frozen=True)
class Outage:
    """What each endpoint answered; `at` is the second in which it happened."""

    results: Mapping[str, LoadResult]
    at: float

    def after(self, endpoint: str) -> list[Sample]:
        """The requests that were meant to be sent from that second on."""
        return [sample for sample in self.results[endpoint].samples if sample.meant >= self.at]

    def answered(self, endpoint: str) -> float:
        """Per cent of those."""
        after = len(self.after(endpoint))
        return 100 * (after - self.failed(endpoint)) / after

    def failed(self, endpoint: str) -> int:
        """How many of those were not answered."""
        return sum(not sample.ok for sample in self.after(endpoint))


def endpoints(url: str) -> dict[str, Target]:
    """One of each kind: it needs the model, the database, or the worker."""
    question = {"prompt": "What is a seam?", "max_tokens": 16}
    return {
        "chat": Target(f"{url}/api/v1/generate", question, timeout=PATIENCE),
        "history": Target(f"{url}/api/v1/chat/sessions?limit=1", timeout=PATIENCE),
        "jobs": Target(f"{url}/api/v1/jobs?limit=1", timeout=PATIENCE),
    }


async def watch(stack: Stack, happening: Happening, *, seconds: float = 4.5) -> Outage:
    """Ask each endpoint at a steady rate, in an open loop; after a second let it happen."""
    names, targets = zip(*endpoints(stack.url).items(), strict=True)
    loads = [open_loop(target, rate=RATE, seconds=seconds, arrivals="even") for target in targets]

    async def happen() -> None:
        await asyncio.sleep(HAPPENS_AT)
        await happening(stack)

    results, _ = await asyncio.gather(asyncio.gather(*loads), happen())
    return Outage(dict(zip(names, results, strict=True)), HAPPENS_AT)


async def watch_all(
    stacks: Mapping[str, Stack], happening: Happening, *, seconds: float = 4.5
) -> dict[str, Outage]:
    """The same happens to each, at the same time."""
    outages = await asyncio.gather(*(watch(stack, happening, seconds=seconds) for stack in stacks.values()))
    return dict(zip(stacks, outages, strict=True))


async def kill_worker(stack: Stack) -> None:
    await asyncio.to_thread(stack.kill, "worker")


async def leak_model(stack: Stack, *, each: float = 12.0, limit: float = 100.0) -> None:
    """From now on each answer leaves memory behind; the process is killed when it has grown too much.

    As the limit of a container does it. The process that comes back does not leak.

    Args:
        each: megabytes an answer.
        limit: megabytes that it may grow.
    """
    process = await asyncio.to_thread(process_of, stack, "model")
    most = process.memory_info().rss + limit * MEGABYTE
    await asyncio.to_thread(lambda: stack.simulated.set(faults={"leak_mb": each}))
    async with asyncio.timeout(20):
        await until(lambda: process.memory_info().rss >= most)
    await asyncio.to_thread(stack.kill, "model")


def process_of(stack: Stack, service: str) -> psutil.Process:
    """The process that does the work of this service: its own, or the monolith."""
    pids = stack.status().pids
    return psutil.Process(pids.get(service) or pids["monolith"])


async def until(condition: Callable[[], bool]) -> None:
    """Asks in a thread, as `condition` may take a while."""
    while True:
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(POLL)


async def black_hole(stack: Stack) -> None:
    """From now on the worker takes connections of the gateway, and nothing passes; started with faults."""
    await asyncio.to_thread(lambda: stack.faults["gateway→worker"].set(black_hole=True))


async def heal(stack: Stack, endpoint: str) -> float:
    """Clear all faults; the seconds until this endpoint answers again."""
    began = time.perf_counter()
    await asyncio.to_thread(stack.faults.clear)
    async with asyncio.timeout(30), Targets(endpoints(stack.url)[endpoint]) as targets:
        while True:
            if not (await targets.send(0)).error:
                return time.perf_counter() - began
            await asyncio.sleep(POLL)


def is_healthy(stack: Stack) -> bool:
    return stack.status().healthy


async def steady(*stacks: Stack) -> None:
    """Returns once everything is healthy again."""
    async with asyncio.timeout(30):
        for stack in stacks:
            await until(partial(is_healthy, stack))


def waited_table(outage: Outage, endpoint: str, limit: float) -> Table:
    """Of those that failed after the moment: how many waited so long, how many were refused at once."""
    failed = [sample for sample in outage.after(endpoint) if not sample.ok]
    waited = sum(sample.service_time >= limit for sample in failed)
    rows = [("waited", waited), ("refused at once", len(failed) - waited)]
    return Table(["calls that failed", "count"], rows)


def answered_table(outages: Mapping[str, Outage], guess: Mapping[str, float] | None = None) -> Table:
    """Per cent answered from the moment on, an endpoint a row; guesses are of chat, by deployment."""
    names = list(next(iter(outages.values())).results)
    rows: list[list[object]] = [
        [name, *(round(outage.answered(name), 1) for outage in outages.values())] for name in names
    ]
    if guess is not None:
        rows.insert(0, ["chat, your guess", *(guess[name] for name in outages)])
    return Table(["answered, %", *outages], rows)
