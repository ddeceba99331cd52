"""More work than can be done, on a virtual clock: what becomes of a queue, with a bound and without."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from prodigon_lib.core.errors import RateLimited
from prodigon_lib.workshop.lessons.lesson_03_batch_vs_realtime_vs_streaming.serving import Bench
from prodigon_lib.workshop.load_plots import COLOURS
from prodigon_lib.workshop.look import FAINT
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.table import Table

PATIENCE = 5.0
PLACES = 16
LOOK_EVERY = 0.5


class Queue(Protocol):
    """What a producer puts into and a worker takes from."""

    def put(self, item: int) -> None:
        """Raises: RateLimited: there is no room."""
        ...

    def take(self) -> int | None:
        """The oldest item; `None` when there is none."""
        ...

    def __len__(self) -> int: ...


class BoundedQueue:
    """Has room for so many; the next is told when to come again."""

    def __init__(self, room: int, *, rate: float) -> None:
        self.room, self.rate = room, rate
        self._items: deque[int] = deque()

    def put(self, item: int) -> None:
        if len(self._items) == self.room:
            # Little's law: what waits here is served in this many seconds.
            raise RateLimited(f"{self.room} wait already", retry_after=self.room / self.rate)
        self._items.append(item)

    def take(self) -> int | None:
        return self._items.popleft() if self._items else None

    def __len__(self) -> int:
        return len(self._items)


@dataclass(frozen=True)
class Flood:
    """What became of a flood; times in seconds since it began.

    Args:
        lengths: how many waited, now and then.
        waits: for each answer, when it was there, and how long its prompt had waited for it.
        refused: how many were told 429.
        end: when the last came in.
    """

    lengths: Sequence[tuple[float, int]]
    waits: Sequence[tuple[float, float]]
    refused: int
    end: float

    @property
    def useful(self) -> int:
        """Answers that came before patience ran out."""
        return sum(wait <= PATIENCE for _, wait in self.waits)


def flood(make: Callable[[], Queue], *, rate: float, seconds: float) -> Flood:
    """Send `rate` prompts a second into a queue before sixteen places at the model; follow it until empty."""
    bench = Bench(seed=1)
    queue = make()
    came: dict[int, float] = {}
    lengths: list[tuple[float, int]] = []
    waits: list[tuple[float, float]] = []
    refused = 0
    over = asyncio.Event()

    async def producer() -> None:
        nonlocal refused
        gaps = (bench.chance.expovariate(rate) for _ in range(int(rate * seconds)))
        for number, moment in enumerate(accumulate(gaps)):
            await bench.clock.sleep_until(moment)
            came[number] = bench.clock.now()
            try:
                queue.put(number)
            except RateLimited:
                refused += 1
        over.set()

    async def worker() -> None:
        while True:
            number = queue.take()
            if number is None:
                if over.is_set():
                    return
                await asyncio.sleep(0.01)
                continue
            await bench.complete(number)
            waits.append((bench.clock.now(), bench.clock.now() - came[number]))

    async def look() -> None:
        while True:
            lengths.append((bench.clock.now(), len(queue)))
            await asyncio.sleep(LOOK_EVERY)

    async def run() -> None:
        looking = asyncio.create_task(look())
        await asyncio.gather(producer(), *(worker() for _ in range(PLACES)))
        looking.cancel()

    bench.clock.run(run())
    return Flood(lengths, sorted(waits), refused, max(came.values()))


def flood_table(floods: Mapping[str, Flood]) -> Table:
    rows: list[tuple[str, Callable[[Flood], object]]] = [
        ("accepted", lambda flood: len(flood.waits)),
        ("told 429 at once", lambda flood: flood.refused),
        ("longest queue", lambda flood: max(length for _, length in flood.lengths)),
        ("longest wait, s", lambda flood: max(wait for _, wait in flood.waits)),
        (f"answers within {PATIENCE:g} s", lambda flood: flood.useful),
        ("answers that nobody waited for any more", lambda flood: len(flood.waits) - flood.useful),
    ]
    return Table(["figure", *floods], [(name, *(of(each) for each in floods.values())) for name, of in rows])


def flood_plot(floods: Mapping[str, Flood]) -> Picture:
    """The queue's length over time, and below it how long each answer was waited for."""
    plot = Plot(height=4.6, rows=2)
    above, below = plot.axes
    for colour, (name, each) in zip(COLOURS, floods.items(), strict=False):
        above.plot(*zip(*each.lengths, strict=True), color=colour, linewidth=1.8, label=name)
        below.scatter(*zip(*each.waits, strict=True), s=4, color=colour, alpha=0.4, linewidths=0)
    below.axhline(PATIENCE, color=FAINT, linewidth=1.4, linestyle=(0, (4, 3)))
    below.text(0, PATIENCE, " patience ends", color=FAINT, fontsize=9, va="bottom")
    above.axvline(next(iter(floods.values())).end, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    above.set(ylabel="prompts that wait", ylim=(0, None))
    above.legend(loc="upper left")
    below.set(xlabel="seconds", ylabel="waited for an answer, s", ylim=(0, None), xlim=(0, None))
    plot.title("More than can be done")
    words = "; ".join(
        f"{name}: at most {max(length for _, length in f.lengths)} wait, {f.useful} answers in time"
        for name, f in floods.items()
    )
    return plot.finish(f"More than can be done. {words}")
