"""A regression guard."""

import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median, quantiles

from prodigon_lib.workshop.checks import Attempt, Check, Findings, Noisy
from prodigon_lib.workshop.checks.timing import STEADY
from prodigon_lib.workshop.table import Table

HINTS = (
    "The number of queries has no noise: one request of each build is enough to compare. Nearly no processor"
    " time is spent on a query here, so a guard that looks at time alone misses a build that sends more of"
    " them.",
    "The drift moves both sides, so let the two builds take turns, many times: requests right after each"
    " other meet nearly the same machine. Then sum up what was seen by something that a few slow or quick"
    " requests can't move.",
    "In each of a hundred rounds time one request of the reference and one of the candidate with"
    " time.thread_time, and divide the second time by the first. The median of these ratios decides: dearer"
    " is one above LIMIT.",
)
RUNS = 20
DEARER = 1.3
SLOW_SHARE = 0.15
PERIOD = 90
"""Requests in which the machine's speed goes down and up again."""

HALF = 0.00007
"""Seconds of Python code in a request, and of C code, on a machine with nothing else to do."""


NEARLY = 2
"""So few wrong verdicts in twenty may be the real machine's doing."""
AGAIN = 2 * RUNS


class Machine:
    """What all builds run on. Each request finds it in the mood of that moment."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self._requests, self._offset = chance, 0, chance.random()
        self.usual: list[float] = []
        """What the same work took each time, without the mood: it differs where the real machine does."""

    @property
    def noise(self) -> float:
        """By which part a request usually takes more than in the machine's quickest moments."""
        few = len(self.usual) < RUNS
        return 0.0 if few else median(self.usual) / quantiles(self.usual, n=20)[0] - 1

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


def build(machine: Machine, work: Work, *, noted: bool = False) -> Callable[[], int]:
    """A build that does this work at each call, and returns its queries; `noted` is what it took."""
    block = bytes(4 * work.size)

    def request() -> int:
        pace, began = machine.pace(), time.thread_time()
        total = 0
        for number in range(round(pace * work.turns)):
            total += number
        sum(block[: round(pace * work.size)])
        if noted:
            machine.usual.append((time.thread_time() - began) / pace)
        return work.queries

    return request


def calibrated(chance: random.Random) -> Work:
    """As many turns and bytes as take their half of a request here."""

    def loop() -> None:
        total = 0
        for number in range(10_000):
            total += number

    block = bytes(40_000)
    # In turns, so that both halves are measured on the same machine.
    rounds = [(seconds_of(loop), seconds_of(lambda: sum(block))) for _ in range(60)]
    of_loop, of_sum = map(median, zip(*rounds, strict=True))
    return Work(
        max(1, round(10_000 * HALF / of_loop)),
        max(1, round(40_000 * HALF / of_sum)),
        chance.randint(10, 20) * 10,
    )


def seconds_of(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def mutants(work: Work) -> dict[str, Work]:
    """Each 30 % dearer in one thing; of the time, one of the halves carries all of it."""
    more = 1 + 2 * (DEARER - 1)
    return {
        "queries": Work(work.turns, work.size, round(DEARER * work.queries)),
        "Python code": Work(round(more * work.turns), work.size, work.queries),
        "C code": Work(work.turns, round(more * work.size), work.queries),
    }


@dataclass(frozen=True)
class Expected:
    """Whether a candidate is to be called dearer, and what to do where it was not so."""

    dearer: bool
    what: str
    step: str


FALSE_ALARM = "Let the builds take turns, and judge by what a slow request can't move: a least, a median."
EXPECTED = {
    "good": Expected(False, f"false alarms in {RUNS} runs, the good build", FALSE_ALARM),
    "cheaper": Expected(False, f"false alarms in {RUNS} runs, a build that is cheaper", FALSE_ALARM),
    "queries": Expected(
        True, f"caught in {RUNS} runs, 30 % dearer in queries",
        "Compare what a request returns: the number of its queries.",
    ),
    "Python code": Expected(
        True, f"caught in {RUNS} runs, 30 % dearer in Python code",
        "Compare processor time over many requests, against LIMIT.",
    ),
    "C code": Expected(
        True, f"caught in {RUNS} runs, 30 % dearer in C code",
        "Compare time and not calls: what C code does is no call more.",
    ),
}  # fmt: skip


class Trial:
    """A guard, and the builds that it is asked about."""

    def __init__(self, dearer: Callable[..., object], machine: Machine) -> None:
        self.dearer, self.machine = dearer, machine
        self.work = work = calibrated(machine.chance)
        cheaper = Work(round(0.6 * work.turns), work.size, work.queries)
        self.candidates = {"good": work, "cheaper": cheaper, **mutants(work)}
        self.seconds: list[float] = []
        """What each call of the guard took."""

    def called_dearer(self, times: int, names: Iterable[str] = EXPECTED) -> dict[str, int]:
        """How often, of so many times that each was shown."""
        runs = [name for name in names for _ in range(times)]
        # The kinds are mixed, so that none of them meets another machine than the rest.
        self.machine.chance.shuffle(runs)
        called = dict.fromkeys(runs, 0)
        for name in runs:
            reference = build(self.machine, self.work, noted=True)
            began = time.perf_counter()
            called[name] += bool(self.dearer(build(self.machine, self.candidates[name]), reference))
            self.seconds.append(time.perf_counter() - began)
        return called


class GuardCheck(Check):
    seconds = 28

    def run(self, attempt: Attempt, findings: Findings) -> None:
        trial = Trial(attempt.get("dearer"), Machine(attempt.random))
        called = trial.called_dearer(RUNS)
        wrong = wrong_in(called)
        if 0 < max(wrong.values()) <= NEARLY:
            ask_again(trial, [name for name, count in wrong.items() if count])
        table = Table(
            ["candidate", "called dearer", "of"], [(name, count, RUNS) for name, count in called.items()]
        )
        judge(findings, called, table)
        each = 1000 * mean(trial.seconds)
        findings.at_most("a call of the guard", each, 500, unit="ms", step="Take fewer rounds.")


def ask_again(trial: Trial, doubtful: Sequence[str]) -> None:
    """A few wrong verdicts may be a burst on the real machine: then they judge nobody.

    Raises:
        Noisy: none of many more was wrong, or the machine was seen to be unsteady.
    """
    if not any(wrong_in(trial.called_dearer(AGAIN, doubtful), AGAIN).values()):
        raise Noisy(1 / RUNS, f"wrong verdicts, of which {AGAIN} more runs had none:", most=0.0)
    if trial.machine.noise > STEADY:
        raise Noisy(trial.machine.noise)


def wrong_in(called: dict[str, int], times: int = RUNS) -> dict[str, int]:
    return {name: times - count if EXPECTED[name].dearer else count for name, count in called.items()}


def judge(findings: Findings, called: dict[str, int], table: Table) -> None:
    """What is wrong nearly each time comes first: beside it, one false alarm in twenty is not the point."""
    wrong = wrong_in(called)
    for name in sorted(EXPECTED, key=lambda name: wrong[name] < RUNS - NEARLY):
        expected = EXPECTED[name]
        wanted = RUNS if expected.dearer else 0
        findings.equal(expected.what, called[name], wanted, step=expected.step, evidence=table)
