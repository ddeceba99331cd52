"""Survive a dead neighbour."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from prodigon_lib.workshop.checks import Attempt, Check, Evidence, Findings
from prodigon_lib.workshop.checks.virtual_time import run_virtually
from prodigon_lib.workshop.histogram import Histogram
from prodigon_lib.workshop.table import Table

HINTS = (
    "Three walls, one after another. A time limit ends each call. A share of the connections for each"
    " service keeps one from taking all. A breaker stops asking who failed several times in a row. Build"
    " them in that order.",
    "Keep for each service its own small record: a semaphore for its share, how often it failed in a row,"
    " until when it rests, and whether somebody tries just now. A success sets the count back, a failure"
    " sets the time.",
    "Before the call: with FAILURES reached, refuse unless the rest is over and nobody tries; then mark"
    " that you try. Take the mark away in `finally`, since a caller may be cancelled, and a mark that"
    " stays is a door shut for ever.",
)
NAMES = ("chat", "models", "search", "history", "prices")
EVERY = 1 / 60
"""Seconds between two calls to one service."""


@dataclass
class Neighbour:
    """A service that answers in some milliseconds, or never; counts what reaches it."""

    draw: random.Random
    dead: bool = False
    fails: int = 0
    """Of each five calls, so many break."""
    reached: int = 0
    in_flight: list[int] = field(default_factory=lambda: [0, 0])
    """Now, and at the most; shared by all neighbours of a process."""

    async def send(self, request: str) -> str:
        self.reached += 1
        self.in_flight[0] += 1
        self.in_flight[1] = max(self.in_flight)
        try:
            if self.dead:
                await asyncio.Event().wait()
            await asyncio.sleep(self.draw.uniform(0.005, 0.015))
            if self.reached % 5 < self.fails:
                raise ConnectionResetError("the connection broke")
            return request.upper()
        finally:
            self.in_flight[0] -= 1


@dataclass
class Street:
    """The process under check and its neighbours, of whom `victim` will die."""

    answer: Any
    draw: random.Random

    def __post_init__(self) -> None:
        self.neighbours = {name: Neighbour(random.Random(self.draw.random())) for name in NAMES}
        for each in self.neighbours.values():
            each.in_flight = self.neighbours[NAMES[0]].in_flight
        self.name = self.draw.choice(NAMES)
        self.victim = self.neighbours[self.name]
        sends = {name: each.send for name, each in self.neighbours.items()}
        self.services = self.answer.Services(sends, asyncio.get_running_loop().time)

    async def call(self, name: str) -> tuple[bool, float]:
        """Whether it was answered, and after how many seconds it ended. Raises what is neither."""
        clock, word = asyncio.get_running_loop().time, f"to {name}"
        began = clock()
        try:
            async with asyncio.timeout(20):
                return await self.services.call(name, word) == word.upper(), clock() - began
        except (self.answer.Unavailable, TimeoutError):
            return False, clock() - began

    async def busy(self, seconds: float) -> dict[str, list[tuple[bool, float]]]:
        """Call every neighbour at a steady pace; the outcomes by name."""
        calls: dict[str, list[asyncio.Task[tuple[bool, float]]]] = {name: [] for name in NAMES}
        for _ in range(round(seconds / EVERY)):
            for name in NAMES:
                calls[name].append(asyncio.create_task(self.call(name)))
            await asyncio.sleep(EVERY)
        return {name: await asyncio.gather(*tasks) for name, tasks in calls.items()}

    def others(self, seen: dict[str, list[tuple[bool, float]]]) -> list[tuple[bool, float]]:
        return [each for name, all in seen.items() if name != self.name for each in all]


class SurviveCheck(Check):
    seconds = 20

    def run(self, attempt: Attempt, findings: Findings) -> None:
        answer = attempt.module
        for missing in (name for name in ("Services", "Unavailable") if not hasattr(answer, name)):
            attempt.get(missing)
        run_virtually(self.black_hole(answer, attempt.random, findings))
        run_virtually(self.now_and_then(answer, attempt.random, findings))
        run_virtually(self.a_caller_leaves(answer, attempt.random, findings))

    async def black_hole(self, answer: Any, draw: random.Random, findings: Findings) -> None:
        street = Street(answer, draw)
        before = street.others(await street.busy(2))
        await self.dies(street, before, answer, findings)
        await self.rests(street, answer, findings)

    async def dies(self, street: Street, before: Any, answer: Any, findings: Findings) -> None:
        street.victim.dead = True
        seen = await street.busy(1)
        reached = street.victim.reached
        later = await street.busy(answer.REST / 4)
        others, hit = street.others(seen) + street.others(later), seen[street.name]
        p99 = [1000 * Histogram(took for _, took in calls).percentile(99) for calls in (before, others)]
        rows = [("before", *counted(before), p99[0]), ("with a dead neighbour", *counted(others), p99[1])]
        table = Evidence.of(Table(["the other services", "calls", "answered", "p99, ms"], rows))
        with findings.together():
            findings.at_least(
                "other services, calls answered meanwhile", 100 * counted(others)[1] / len(others), 99,
                unit="%", step="Keep one service from holding all connections, or from counting for another.",
                evidence=table,
            )  # fmt: skip
            findings.at_most(
                "other services, p99 against before", p99[1] / max(p99[0], 0.001), 1.5, unit="times",
                step="Let no service hold more than a part of the connections, from the first call on.",
                evidence=table,
            )  # fmt: skip
            findings.at_most(
                f"'{street.name}', the longest call, in seconds", max(took for _, took in hit),
                answer.PATIENCE * 1.1, step="Bound the whole call: waiting for its turn counts too.",
            )  # fmt: skip
            findings.equal(
                f"calls that reached '{street.name}' while it should rest", street.victim.reached - reached,
                0, step="After FAILURES in a row raise Unavailable at once, without a call.",
            )  # fmt: skip
        findings.at_most(
            "connections in use at once", street.victim.in_flight[1], answer.CONNECTIONS,
            step="Each call takes one of self.connections, as it did.",
        )  # fmt: skip

    async def rests(self, street: Street, answer: Any, findings: Findings) -> None:
        await asyncio.sleep(answer.REST * 1.2)
        tried = await together(street, findings)
        findings.equal(
            "of 10 calls after the rest, those that reached it", tried, 1,
            step="When the rest is over let one call through; the others fail at once until it has ended.",
        )  # fmt: skip
        tried = await together(street, findings)
        findings.equal(
            "of 10 calls after that one failed too", tried, 0,
            step="A failed probe begins a new rest.",
        )  # fmt: skip
        street.victim.dead = False
        await asyncio.sleep(answer.REST * 1.2)
        tried = await together(street, findings)
        findings.equal(
            "of 10 calls once it lives again, those that reached it", tried, 1,
            step="Half-open means one: also when the service is well again.",
        )  # fmt: skip
        seen = await street.busy(0.5)
        findings.equal(
            f"calls to '{street.name}' answered after the probe", counted(seen[street.name])[1],
            len(seen[street.name]), step="A success closes the breaker: set its count back to nothing.",
        )  # fmt: skip

    async def now_and_then(self, answer: Any, draw: random.Random, findings: Findings) -> None:
        street = Street(answer, draw)
        street.victim.fails = min(4, answer.FAILURES - 1)
        for _ in range(50):
            await street.call(street.name)
        findings.equal(
            "of 50 calls to one that never fails five times in a row, those that reached it",
            street.victim.reached, 50, step="Count failures in a row: a success in between starts anew.",
        )  # fmt: skip

    async def a_caller_leaves(self, answer: Any, draw: random.Random, findings: Findings) -> None:
        street = Street(answer, draw)
        street.victim.dead = True
        await asyncio.gather(*(street.call(street.name) for _ in range(12)))
        await asyncio.sleep(answer.REST * 1.2)
        probe = asyncio.create_task(street.call(street.name))
        await asyncio.sleep(answer.PATIENCE / 5)
        probe.cancel()
        street.victim.dead = False
        await asyncio.sleep(answer.REST * 1.2)
        findings.equal(
            "answered, after the caller of a probe had left", (await street.call(street.name))[0], True,
            step="Whatever ends a probe, a cancelled caller too, must leave the door for the next one.",
        )  # fmt: skip


def counted(calls: list[tuple[bool, float]]) -> tuple[int, int]:
    return len(calls), sum(answered for answered, _ in calls)


async def together(street: Street, findings: Findings) -> int:
    """How many of ten calls at once reach the victim."""
    before = street.victim.reached
    await asyncio.gather(*(street.call(street.name) for _ in range(10)))
    return street.victim.reached - before
