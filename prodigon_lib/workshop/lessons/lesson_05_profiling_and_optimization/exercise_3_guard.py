"""A regression guard."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.table import Table

HINTS = (
    "The number of queries has no noise: one request of each build is enough to compare. Nearly no processor"
    " time is spent on a query here, so a guard that looks at time alone misses a build that sends more of"
    " them.",
    "Disturbances only ever add time, and the drift moves both sides. So let the two builds take turns, many"
    " times, and sum up what was seen by something that one slow request can't move.",
    "In each of some fifteen rounds time one request of the reference and one of the candidate with"
    " time.thread_time. Then compare the least of each side: dearer is more than LIMIT times as much. One"
    " round decides nothing.",
)
RUNS = 20
DEARER = 1.3
SLOW_SHARE = 0.15
PERIOD = 90
"""Requests in which the machine's speed goes down and up again."""

HALF = 0.00015
"""Seconds of Python code in a request, and of C code, on a machine with nothing else to do."""


class Machine:
    """What all builds run on. Each request finds it in the mood of that moment."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self._requests, self._offset = chance, 0, chance.random()

    def pace(self) -> float:
        """How many times as much as usual the next request costs."""
        self._requests += 1
        drift = 1.25 + 0.35 * math.sin(2 * math.pi * (self._requests / PERIOD + self._offset))
        return drift * (2 if self.chance.random() < SLOW_SHARE else 1)


@dataclass(frozen=True)
class Work:
    """How much of each a request does: turns of a loop, bytes to sum up in C, queries."""

    turns: int
    size: int
    queries: int


def build(machine: Machine, work: Work) -> Callable[[], int]:
    """A build that does this work at each call, and returns its queries."""
    block = bytes(4 * work.size)

    def request() -> int:
        pace = machine.pace()
        total = 0
        for number in range(round(pace * work.turns)):
            total += number
        sum(block[: round(pace * work.size)])
        return work.queries

    return request


def calibrated(chance: random.Random) -> Work:
    """As many turns and bytes as take their half of a request here."""

    def loop() -> None:
        total = 0
        for number in range(10_000):
            total += number

    block = bytes(40_000)
    return Work(
        max(1, round(10_000 * HALF / least_seconds(loop))),
        max(1, round(40_000 * HALF / least_seconds(lambda: sum(block)))),
        chance.randint(10, 20) * 10,
    )


def least_seconds(work: Callable[[], object]) -> float:
    def once() -> float:
        began = time.thread_time()
        work()
        return time.thread_time() - began

    return min(once() for _ in range(15))


def mutants(work: Work) -> dict[str, Work]:
    """Each 30 % dearer in one thing; of the time, one of the halves carries all of it."""
    more = 1 + 2 * (DEARER - 1)
    return {
        "queries": Work(work.turns, work.size, round(DEARER * work.queries)),
        "Python code": Work(round(more * work.turns), work.size, work.queries),
        "C code": Work(work.turns, round(more * work.size), work.queries),
    }


class GuardCheck(Check):
    seconds = 28

    def run(self, attempt: Attempt, findings: Findings) -> None:
        dearer = attempt.get("dearer")
        machine = Machine(attempt.random)
        work = calibrated(attempt.random)
        cheaper = Work(round(0.6 * work.turns), work.size, work.queries)
        candidates = {"good": work, "cheaper": cheaper, **mutants(work)}
        verdicts: dict[str, list[bool]] = {name: [] for name in candidates}
        runs = [name for name in candidates for _ in range(RUNS)]
        # The kinds are mixed, so that none of them meets another machine than the rest.
        attempt.random.shuffle(runs)
        began = time.perf_counter()
        for name in runs:
            verdicts[name].append(bool(dearer(build(machine, candidates[name]), build(machine, work))))
        each = 1000 * (time.perf_counter() - began) / len(runs)
        table = Table(
            ["candidate", "called dearer", "of"], [(name, sum(all_), RUNS) for name, all_ in verdicts.items()]
        )
        judge(findings, {name: sum(all_) for name, all_ in verdicts.items()}, table)
        findings.at_most("a call of the guard", each, 500, unit="ms", step="Take fewer rounds.")


def judge(findings: Findings, called: dict[str, int], table: Table) -> None:
    for name, kind in {"good": "the good build", "cheaper": "a build that is cheaper"}.items():
        findings.equal(
            f"false alarms in {RUNS} runs, {kind}", called[name], 0, evidence=table,
            step="Let the builds take turns, and judge by what a slow request can't move: a least, a median.",
        )  # fmt: skip
    steps = {
        "queries": "Compare what a request returns: the number of its queries.",
        "Python code": "Compare processor time over many requests, against LIMIT.",
        "C code": "Compare time and not calls: what C code does is no call more.",
    }
    for name, step in steps.items():
        findings.equal(
            f"caught in {RUNS} runs, 30 % dearer in {name}", called[name], RUNS, step=step, evidence=table
        )
