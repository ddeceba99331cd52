"""Does a service's memory grow with its requests? Asked from outside, as a stranger would."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from statistics import quantiles
from typing import Any

from prodigon_lib.workshop.load import Call, closed_loop
from prodigon_lib.workshop.load_plots import COLOURS, DASHED
from prodigon_lib.workshop.look import FAINT
from prodigon_lib.workshop.memory import MEGABYTE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Target

RESIDENT = "process_resident_memory_bytes"
SECONDS = 15.0
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback is never asked for through a proxy."""


@dataclass(frozen=True)
class Trend:
    """Looks at a process's resident size: how many requests it had answered, and megabytes."""

    points: tuple[tuple[int, float], ...]

    @property
    def slope(self) -> float:
        """Megabytes for each 1,000 requests: the median slope of all pairs of looks (Theil and Sen).

        One look at a bad moment, as before a collection, moves it little; a line of least squares follows it.
        """
        return self._quartiles()[1]

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles of those slopes: between them lies half of what pairs of looks would say."""
        low, _, high = self._quartiles()
        return low, high

    def _quartiles(self) -> tuple[float, float, float]:
        pairs = combinations(self.points, 2)
        slopes = [1000 * (late - soon) / (after - before) for (before, soon), (after, late) in pairs]
        low, middle, high = quantiles(slopes, n=4)
        return low, middle, high


async def watch_growth(
    service: str, target: Target | Call, *, requests: int, looks: int = 9, warm: int = 100, in_flight: int = 8
) -> Trend:
    """Send `requests`, and look at the service's resident size before, between and after.

    Args:
        service: base URL of the one that is looked at; the requests may reach it through others.
        warm: requests before the first look, as pools, caches and the heap have their size only then.
    """
    await closed_loop(target, in_flight=in_flight, count=warm)
    each = requests // (looks - 1)
    points = [(0, await asyncio.to_thread(resident, service))]
    for look in range(1, looks):
        await closed_loop(target, in_flight=in_flight, count=each)
        points.append((look * each, await asyncio.to_thread(resident, service)))
    return Trend(tuple(points))


def resident(service: str) -> float:
    """Megabytes, from the `/metrics` of a service, by its base URL.

    Raises:
        LookupError: it does not say.
    """
    with DIRECT.open(f"{service}/metrics", timeout=SECONDS) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"{RESIDENT} "):
                return float(line.split()[1]) / MEGABYTE
    raise LookupError(f"{service} does not say {RESIDENT}")


class GrownLines:
    """The lines of a running service that hold more than before, the one that holds most first."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def table(self, most: int = 5) -> Table:
        rows = [
            (f"{line['file']}:{line['line']}", line["code"], line["bytes"] / MEGABYTE, line["objects"])
            for line in self.lines[:most]
        ]
        return Table(["where", "the line", "MB more", "objects more"], rows)


@contextmanager
def traced(service: str) -> Iterator[GrownLines]:
    """`tracemalloc` in a service while the block runs, development only; the service is slower meanwhile."""
    grown = GrownLines()
    ask(service, "PUT")
    try:
        yield grown
        grown.lines = json.loads(ask(service, "GET"))["growth"]
    finally:
        ask(service, "DELETE")


def ask(service: str, method: str) -> bytes:
    request = urllib.request.Request(f"{service}/memory", method=method)  # noqa: S310 (an address of this stack)
    with DIRECT.open(request, timeout=SECONDS) as answer:
        found: bytes = answer.read()
        return found


def growth_plot(
    trends: Mapping[str, Trend], *, guess: float | None = None, title: str = "Resident size over requests"
) -> Picture:
    """Megabytes more than at the first look; `guess` is the slope that a learner expected of the last one."""
    plot = Plot(height=3.2)
    (axes,) = plot.axes
    words = []
    for colour, (name, trend) in zip(COLOURS, trends.items(), strict=False):
        at_first = trend.points[0][1]
        grown = [(count, size - at_first) for count, size in trend.points]
        axes.plot(*zip(*grown, strict=True), "o-", color=colour, markersize=4.5, linewidth=1.8, label=name)
        low, high = trend.spread
        words.append(f"{name} {trend.slope:.1f} MB per 1,000 ({low:.1f} to {high:.1f})")
    most = max(count for trend in trends.values() for count, _ in trend.points)
    if guess is not None:
        axes.plot([0, most], [0, guess * most / 1000], color=FAINT, linestyle=DASHED, label="your guess")
    axes.set(xlabel="requests answered", ylabel="MB more than at first", xlim=(0, None))
    axes.legend(loc="upper left", frameon=False)
    plot.title(title)
    return plot.finish(f"{title}: {'; '.join(words)}")
