"""A ledger in which providers write down that they were built and closed: who, how often, in which order."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prodigon_lib.workshop.load_plots import COLOURS
from prodigon_lib.workshop.look import INK
from prodigon_lib.workshop.picture import Picture, Plot


@dataclass
class Life:
    """From built to closed, in seconds since the ledger was opened; `end` is `None` while it lives."""

    name: str
    start: float
    end: float | None = None


class Ledger:
    """`built` and `closed` count by name; `events` has both in their order."""

    def __init__(self) -> None:
        self._opened = time.perf_counter()
        self.lives: list[Life] = []
        self.events: list[str] = []
        self.marks: dict[str, float] = {}

    @contextmanager
    def life(self, name: str) -> Iterator[None]:
        """Something of this name lives as long as the block."""
        life = Life(name, self._now())
        self.lives.append(life)
        self.events.append(f"{name} built")
        try:
            yield
        finally:
            life.end = self._now()
            self.events.append(f"{name} closed")

    def mark(self, word: str) -> None:
        """A moment that belongs to nobody, such as when an answer was sent."""
        self.marks[word] = self._now()
        self.events.append(word)

    @property
    def built(self) -> Counter[str]:
        return Counter(life.name for life in self.lives)

    @property
    def closed(self) -> Counter[str]:
        return Counter(life.name for life in self.lives if life.end is not None)

    def picture(self, title: str = "Who lived when") -> Picture:
        """A row for each name, a bar for each life."""
        names = list(self.built)
        last = self._now() if any(life.end is None for life in self.lives) else max(
            *(life.end or 0.0 for life in self.lives), *self.marks.values(), 0.0
        )  # fmt: skip
        first = min(life.start for life in self.lives)
        plot = Plot(height=1.0 + 0.5 * len(names))
        (axes,) = plot.axes
        for life in self.lives:
            row = names.index(life.name)
            length = 1000 * ((last if life.end is None else life.end) - life.start)
            axes.barh(
                row, length, left=1000 * (life.start - first), height=0.5, color=COLOURS[row % len(COLOURS)],
                edgecolor="white", linewidth=0.4,
            )  # fmt: skip
            axes.vlines(
                1000 * (life.start - first), row - 0.25, row + 0.25, color=COLOURS[row % len(COLOURS)]
            )
        for word, moment in self.marks.items():
            axes.axvline(1000 * (moment - first), color=INK, linewidth=1.4)
            axes.text(1000 * (moment - first), -0.62, f" {word}", fontsize=9, color=INK, va="center")
        axes.set(xlabel="milliseconds", ylim=(len(names) - 0.5, -0.85))
        axes.set_yticks(range(len(names)), [f"{name} × {self.built[name]}" for name in names])  # noqa: RUF001 a count
        axes.grid(visible=False, axis="y")
        plot.title(title)
        counts = ", ".join(f"{name} {count} times" for name, count in self.built.items())
        return plot.finish(f"{title}: {counts}; {'; '.join(self.events[:12])}")

    def _now(self) -> float:
        return time.perf_counter() - self._opened
