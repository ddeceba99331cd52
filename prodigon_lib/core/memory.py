"""What this process holds, and which lines of its code allocated what it did not hold before."""

import linecache
import sys
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from prodigon_lib.core.locations import PACKAGE

UNTRACED = tuple(tracemalloc.Filter(False, file) for file in (tracemalloc.__file__, linecache.__file__))


def resident_bytes() -> int:
    """The memory of this process that is in RAM, what it shares with others included."""
    return int(psutil.Process().memory_info().rss)


@dataclass(frozen=True, slots=True)
class Growth:
    """One line of code, and the bytes and objects it allocated that are alive now and were not before.

    `file` is relative to where it was imported from, `code` the text of the line.
    """

    file: str
    line: int
    bytes: int
    objects: int
    code: str


class Tracing:
    """`tracemalloc`, from a moment on: what was allocated since, line by line.

    It slows all allocations of the process down while it is on. Bytes that no Python allocator hands out, as
    those of a C library, it does not see.
    """

    def __init__(self) -> None:
        self._before: tracemalloc.Snapshot | None = None

    @property
    def on(self) -> bool:
        return self._before is not None

    def start(self) -> None:
        """From now on; when it is on already, it begins anew."""
        if not tracemalloc.is_tracing():
            tracemalloc.start()
        self._before = tracemalloc.take_snapshot()

    def growth(self, most: int = 10) -> list[Growth]:
        """The lines that hold most more than at the start, first the one that holds most."""
        if self._before is None:
            return []
        now, before = (shot.filter_traces(UNTRACED) for shot in (tracemalloc.take_snapshot(), self._before))
        grown = [each for each in now.compare_to(before, "lineno") if each.size_diff > 0]
        grown.sort(key=lambda each: -each.size_diff)
        return [grown_line(each) for each in grown[:most]]

    def stop(self) -> None:
        self._before = None
        tracemalloc.stop()


def grown_line(found: tracemalloc.StatisticDiff) -> Growth:
    frame = found.traceback[0]
    code = linecache.getline(frame.filename, frame.lineno).strip()
    name = relative_to_imports(frame.filename, (str(PACKAGE.parent), *sys.path))
    return Growth(name, frame.lineno, found.size_diff, found.count_diff, code)


def relative_to_imports(file: str, roots: Sequence[str]) -> str:
    """`prodigon_lib/core/memory.py`, wherever that lies; a file that no root has is given by its name."""
    found = [str(Path(file).relative_to(root)) for root in roots if root and Path(file).is_relative_to(root)]
    return min(found, key=len, default=Path(file).name)
