"""A heartbeat on an event loop: while something blocks the loop, it does not beat.

with heartbeat(served.loop) as beats:
    ...
strip_chart({"blocking": beats})
"""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from prodigon_lib.workshop.load_result import LoadResult
from prodigon_lib.workshop.look import BLUE, FAINT, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot

EVERY = 0.01
MISSED = 3
"""So many intervals late, and the beat counts as missed in the chart."""


@dataclass(frozen=True, slots=True)
class Beat:
    """When it was due, in seconds since the first, and how late it came: the loop's lag at that moment."""

    due: float
    late: float


PATIENCE = 10.0
"""For the first beat and for the last, in seconds."""


async def beating(
    beats: list[Beat], every: float, first: threading.Event, stop: asyncio.Event, last: threading.Event
) -> None:
    """Until `stop`, which it looks at after a beat, so that one that was due in a block is counted."""
    began = time.perf_counter()
    due = began
    while not stop.is_set():
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        now = time.perf_counter()
        beats.append(Beat(due - began, now - due))
        first.set()
        due = now + every
    last.set()


@contextmanager
def heartbeat(loop: asyncio.AbstractEventLoop, *, every: float = EVERY) -> Iterator[list[Beat]]:
    """Beats on a loop that runs in another thread, as long as the block runs.

    It begins at the first beat: else what blocks the loop could come before, and nobody would see it. It ends
    at the last that was due: else nobody would see what still blocks the loop then.
    """
    beats: list[Beat] = []
    first, stop, last = threading.Event(), asyncio.Event(), threading.Event()
    task = asyncio.run_coroutine_threadsafe(beating(beats, every, first, stop, last), loop)
    first.wait(PATIENCE)
    try:
        yield beats
    finally:
        loop.call_soon_threadsafe(stop.set)
        last.wait(PATIENCE)
        task.cancel()


def beats_of(load: LoadResult) -> list[Beat]:
    """From an endpoint that was asked at even times: the beat is its answer."""
    return [Beat(sample.meant, sample.response_time) for sample in load.answered]


def worst(beats: Sequence[Beat]) -> float:
    """The longest lag, in seconds."""
    return max((beat.late for beat in beats), default=0.0)


def strip_chart(
    beats: Mapping[str, Sequence[Beat]], *, every: float = EVERY, title: str = "Does the loop still beat?"
) -> Picture:
    """One strip for each: a tick per beat, and a bar where the beat was late."""
    plot = Plot(height=1.0 + 0.75 * len(beats))
    (axes,) = plot.axes
    for row, (name, each) in enumerate(beats.items()):
        axes.vlines([beat.due + beat.late for beat in each], row - 0.2, row + 0.2, color=BLUE, linewidth=0.8)
        for beat in each:
            if beat.late > MISSED * every:
                axes.barh(row, beat.late, left=beat.due, height=0.4, color=ORANGE, alpha=0.75)
        axes.text(
            0, row - 0.27, f"{name}: the longest lag {1000 * worst(each):.0f} ms",
            fontsize=9, color=FAINT, va="bottom",
        )  # fmt: skip
    axes.set(yticks=[], xlabel="seconds", ylim=(len(beats) - 0.5, -0.75), xlim=(0, None))
    axes.grid(visible=False, axis="y")
    plot.title(title)
    words = "; ".join(f"{name}: the longest lag {1000 * worst(each):.0f} ms" for name, each in beats.items())
    return plot.finish(f"{title} {words}")
