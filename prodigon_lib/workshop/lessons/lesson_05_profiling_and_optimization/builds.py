"""Programs whose slow place is known, because it was put there: for exercise 5.1.

Their functions are named by chance and do work of a known size, so that the share of each is known without a
profiler: computing by counted loops, waiting by the clock.
"""

import random
import select
import string
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

COMPUTES = """
def {name}():
    total = 0
    for number in range({count}):
        total += number
    return total
"""
WAITS = """
def {name}():
    began = clock()
    select([], [], [], {seconds})
    waited.append(clock() - began)
"""
TINY = """
def {name}(number):
    return number + 1
"""
CALLS = """
def {name}():
    for number in range({count}):
        {callee}(number)
"""
ROUTE = """
def {name}():
    {calls}
"""
ENTRY = """
def {name}():
    for turn in range({rounds}):
        {calls}
"""
KINDS = ("computes", "waits", "is called seldom")
ROUNDS = 40
SECONDS = 0.6
"""How long a program takes on a machine with nothing else to do."""

CALLED_OFTEN = 0.28
"""Which part the tiny function and its caller take while nobody counts calls."""

CALIBRATION = 20_000


@dataclass(frozen=True)
class Costs:
    """Seconds of one turn of a counted loop, and of one call of a tiny function, on this machine."""

    turn: float
    call: float

    @classmethod
    def measured(cls) -> "Costs":
        source = (
            COMPUTES.format(name="loop", count=CALIBRATION)
            + TINY.format(name="tiny")
            + CALLS.format(name="calling", count=CALIBRATION, callee="tiny")
        )
        names = executed(source)
        return cls(*(least_seconds(names[name]) / CALIBRATION for name in ("loop", "calling")))


class Program:
    """What to run, and where its time goes: `share` is the part of `slow` in the last run, 0 to 1."""

    def __init__(self, kind: str, source: str, entry: str, slow: str, planned: float) -> None:
        self.kind, self.slow, self._planned = kind, slow, planned
        self._waited: list[float] = []
        self._whole = 0.0
        names = executed(source, clock=time.perf_counter, select=select.select, waited=self._waited)
        self._entry: Callable[[], object] = names[entry]

    def run(self) -> None:
        self._waited.clear()
        began = time.perf_counter()
        self._entry()
        self._whole = time.perf_counter() - began

    @property
    def share(self) -> float:
        """A busy machine makes all but a wait take longer, so the part of a wait is measured in the run."""
        return sum(self._waited) / self._whole if self._waited else self._planned


def draw(chance: random.Random, kind: str, costs: Costs) -> Program:
    """A program of one of the `KINDS`."""
    slow, tiny, caller, one_way, other_way, entry, *others = words(chance, 10)
    # More of a wait, for a busy machine makes all the rest longer.
    share = chance.uniform(0.6, 0.68) if kind == "waits" else chance.uniform(0.46, 0.54)
    rest, source = 1 - share, ""
    called = list(others)
    if kind == "is called seldom":
        rest -= CALLED_OFTEN
        called.append(caller)
        source += TINY.format(name=tiny)
        source += CALLS.format(name=caller, count=turns(CALLED_OFTEN, costs.call), callee=tiny)
    for name in others:
        source += COMPUTES.format(name=name, count=turns(rest / len(others), costs.turn))
    # It is called along two ways, so that no single way to it is the slow one.
    if kind == "waits":
        source += WAITS.format(name=slow, seconds=share * SECONDS / ROUNDS / 2)
    else:
        source += COMPUTES.format(name=slow, count=turns(share / 2, costs.turn))
    chance.shuffle(called)
    half = len(called) // 2
    source += ROUTE.format(name=one_way, calls=each_called([*called[:half], slow]))
    source += ROUTE.format(name=other_way, calls=each_called([slow, *called[half:]]))
    source += ENTRY.format(name=entry, rounds=ROUNDS, calls=each_called([one_way, other_way]))
    return Program(kind, source, entry, slow, share)


def words(chance: random.Random, count: int) -> list[str]:
    """Names that no answer can know before."""
    return ["".join(chance.choices(string.ascii_lowercase, k=9)) for _ in range(count)]


def turns(share: float, cost: float) -> int:
    """How many turns of that cost take this part of a program's time, in each round."""
    return max(1, round(share * SECONDS / ROUNDS / cost))


def each_called(names: Iterable[str]) -> str:
    return "; ".join(f"{name}()" for name in names)


def executed(source: str, **given: Any) -> dict[str, Any]:
    names: dict[str, Any] = dict(given)
    exec(compile(source, "build", "exec"), names)  # noqa: S102  templates of this module, names of letters
    return names


def least_seconds(work: Callable[[], object], rounds: int = 15) -> float:
    def once() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return min(once() for _ in range(rounds))
