"""The field's profilers, each in one line, and each for the question that it answers best.

    with sampled() as run:            where did the time go?       pyinstrument, looks every millisecond
        await answer(question)
    flame_graph(run.profile)

    with traced() as calls:           what is called how often?    cProfile, stops at every call
        answer(question)
    calls.count("loads")

    with lined(mark) as lines:        which line of it?            line_profiler, stops at every line
        answer(question)
    lines.table()

py-spy, which looks into another process, is in `workshop.attach`.
"""

import cProfile
import linecache
import pstats
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from line_profiler import LineProfiler
from pyinstrument import Profiler

from prodigon_lib.workshop.profile import Frame, Profile, named, percent
from prodigon_lib.workshop.table import Table

EVERY = 0.001


@dataclass
class Sampled:
    """What pyinstrument saw; `profile` is there once the block has ended, as are both clocks, in seconds."""

    profile: Profile = field(default_factory=lambda: Profile({}))
    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def sampled(*, every: float = EVERY) -> Iterator[Sampled]:
    """Looks at this thread's stack every `every` seconds. Waiting counts as time of whoever awaits.

    Inside a coroutine it follows that coroutine, and not what else runs on the loop.
    """
    profiler, run = Profiler(interval=every, async_mode="enabled"), Sampled()
    profiler.start()
    try:
        yield run
    finally:
        session = profiler.stop()
        run.wall, run.cpu = session.duration, session.cpu_time
        run.profile = Profile.of(
            (frames, seconds)
            for identifiers, seconds in session.frame_records
            if (frames := [frame for text in identifiers if (frame := frame_of(text)) is not None])
        )


def frame_of(identifier: str) -> Frame | None:
    """From pyinstrument's `function NUL file NUL line SOH attributes`; `None` for what is no function."""
    what, *attributes = identifier.split("\x01")
    function, _, rest = what.partition("\x00")
    file = rest.partition("\x00")[0]
    if file.startswith("<") or function == "[out-of-context]":
        return None
    owner = next((each[1:] for each in attributes if each.startswith("c")), "")
    return Frame(f"{owner}.{function}" if owner else function, file or "waiting")


@dataclass
class Traced:
    """Every call, counted. `seconds` is the run's wall time, tracing included."""

    stats: dict[Frame, tuple[int, float, float]] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """Of all functions, those written in C too."""
        return sum(count for count, _, _ in self.stats.values())

    def count(self, function: str) -> int:
        """How often functions of that name were called."""
        return sum(count for frame, (count, _, _) in self.stats.items() if named(frame, function))

    def own_share(self, function: str) -> float:
        """Which part of the time tracing saw in the function itself, 0 to 1."""
        own = sum(seconds for frame, (_, seconds, _) in self.stats.items() if named(frame, function))
        total = sum(seconds for _, seconds, _ in self.stats.values())
        return own / total if total else 0.0

    def table(self, count: int = 8) -> Table:
        """The functions with the most time of their own."""
        total = sum(own for _, own, _ in self.stats.values()) or 1.0
        rows = sorted(self.stats.items(), key=lambda item: item[1][1], reverse=True)[:count]
        return Table(
            ["function", "calls", "itself", "with what it called"],
            [
                (frame.short, f"{calls:,}", percent(own / total), percent(whole / total))
                for frame, (calls, own, whole) in rows
            ],
        )


@contextmanager
def traced() -> Iterator[Traced]:
    """Counts every call of this thread. It slows down what calls much: trust its counts before its times."""
    profiler, run = cProfile.Profile(), Traced()
    profiler.enable()
    try:
        yield run
    finally:
        profiler.disable()
        for (file, _, name), (_, calls, own, whole, _) in stats_of(profiler).items():
            frame = Frame(c_name(name), "C" if file == "~" else file)
            count, seconds, inside = run.stats.get(frame, (0, 0.0, 0.0))
            run.stats[frame] = (count + calls, seconds + own, inside + whole)


def stats_of(profiler: cProfile.Profile) -> dict[tuple[str, int, str], tuple[int, int, float, float, Any]]:
    """By file, line and name: primitive calls, calls, own seconds, seconds with what it called, callers."""
    stats: Any = pstats.Stats(profiler)
    return dict(stats.stats)


def c_name(name: str) -> str:
    """`<built-in method _json.scanner>` and `<method 'append' of 'list' objects>` by their plain names."""
    if name.startswith("<built-in method "):
        return name.removeprefix("<built-in method ").rstrip(">")
    if name.startswith("<method '"):
        method, _, rest = name.removeprefix("<method '").partition("' of '")
        return f"{rest.partition(chr(39))[0]}.{method}"
    return name


@dataclass
class Line:
    """One line of source: how often it ran, and which part of the function's time it took, 0 to 1."""

    number: int
    source: str
    hits: int
    share: float


@dataclass
class Lined:
    """The lines of the functions that were asked for."""

    lines: list[Line] = field(default_factory=list)

    def share(self, text: str) -> float:
        """The part that lines with `text` in them took, 0 to 1."""
        return sum(line.share for line in self.lines if text in line.source)

    def table(self) -> Table:
        """Each line that ran, in order."""
        return Table(
            ["line", "ran", "share", "source"],
            [
                (line.number, f"{line.hits:,}", percent(line.share), line.source.strip())
                for line in self.lines
            ],
        )


@contextmanager
def lined(function: Callable[..., Any]) -> Iterator[Lined]:
    """Times every line of one function. Only this function is slowed down, and greatly."""
    untyped: Any = LineProfiler
    profiler, run = untyped(function), Lined()
    profiler.enable()
    try:
        yield run
    finally:
        profiler.disable()
        timings: dict[tuple[str, int, str], list[tuple[int, int, int]]] = profiler.get_stats().timings
        total = sum(spent for rows in timings.values() for _, _, spent in rows) or 1
        for (file, _, _), rows in timings.items():
            for number, hits, spent in rows:
                source = linecache.getline(file, number)
                run.lines.append(Line(number, source, hits, spent / total))
