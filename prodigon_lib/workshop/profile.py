"""What a profiler saw: stacks of functions, each with its time.

Every sampling profiler can give this, in the folded format that flame graphs are made from: a line for each
stack, its frames from the outermost to the innermost, and a number.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePath
from typing import NamedTuple

from prodigon_lib.workshop.table import Table

FRAME = re.compile(r"(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)")
FOLDED = re.compile(r"(?P<stack>.+) (?P<weight>\d+(?:\.\d+)?(?:e[-+]?\d+)?)")
UNKNOWN = "?"


class Frame(NamedTuple):
    """A function, and the file that defines it: as much of the path as the profiler told."""

    function: str
    file: str = UNKNOWN

    def __str__(self) -> str:
        return f"{self.function} ({self.file})"

    @classmethod
    def parse(cls, text: str) -> "Frame":
        """From `function (file.py:12)`; the line is left out, so that a function is one frame."""
        match = FRAME.fullmatch(text.strip())
        return cls(match["function"], match["file"]) if match else cls(text.strip())

    @property
    def short(self) -> str:
        """The function without the classes and functions around it, and the file's name."""
        return f"{self.function.rpartition('.<locals>.')[2]} ({PurePath(self.file).name})"


Stack = tuple[Frame, ...]


@dataclass(frozen=True)
class Profile:
    """Stacks, outermost frame first, each with its seconds, or with its samples where `unit` says so."""

    stacks: Mapping[Stack, float]
    unit: str = "s"

    @classmethod
    def of(cls, samples: Iterable[tuple[Iterable[Frame], float]], unit: str = "s") -> "Profile":
        """From single samples; equal stacks are added up."""
        stacks: Counter[Stack] = Counter()
        for frames, weight in samples:
            stacks[tuple(frames)] += weight  # type: ignore[assignment]  # a Counter counts in floats too
        return cls(stacks, unit)

    @classmethod
    def parse(cls, folded: str, unit: str = "samples") -> "Profile":
        """From the folded format, as py-spy's `--format raw` writes it.

        A line without a number at its end is passed over: who reads a process's memory while it runs
        sometimes reads a name that is being changed.
        """
        matches = filter(None, (FOLDED.fullmatch(line.strip()) for line in folded.splitlines()))
        stacks = ((map(Frame.parse, each["stack"].split(";")), float(each["weight"])) for each in matches)
        return cls.of(stacks, unit)

    def folded(self) -> str:
        """In the folded format, for other tools."""
        return "\n".join(f"{';'.join(map(str, stack))} {weight:g}" for stack, weight in self.stacks.items())

    @property
    def total(self) -> float:
        return sum(self.stacks.values())

    def share(self, function: str) -> float:
        """Which part of all was spent in a function or in what it called, 0 to 1; recursion counts once."""
        inside = sum(w for stack, w in self.stacks.items() if any(named(f, function) for f in stack))
        return inside / self.total if self.total else 0.0

    def own_share(self, function: str) -> float:
        """Which part was spent in the function itself, 0 to 1."""
        own = sum(w for stack, w in self.stacks.items() if stack and named(stack[-1], function))
        return own / self.total if self.total else 0.0

    def own_by(self, kind: Callable[[Frame], str]) -> dict[str, float]:
        """Which part each kind of function took itself, 0 to 1, the greatest first."""
        own: Counter[str] = Counter()
        for stack, weight in self.stacks.items():
            own[kind(stack[-1])] += weight / self.total  # type: ignore[assignment]
        return dict(own.most_common())

    def within(self, function: str) -> "Profile":
        """Only what happened in `function`, which becomes the root.

        Raises:
            LookupError: no stack has it.
        """
        inside: Counter[Stack] = Counter()
        for stack, weight in self.stacks.items():
            places = [place for place, frame in enumerate(stack) if named(frame, function)]
            if places:
                inside[stack[places[0] :]] += weight  # type: ignore[assignment]
        if not inside:
            raise LookupError(f"{function} is in no stack of this profile")
        return Profile(inside, self.unit)

    def without_common_root(self) -> "Profile":
        """Without the frames around everything, but for the innermost of them."""
        columns = zip(*self.stacks, strict=False)  # as long as the shortest of them
        common = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
        cut = max(common - 1, 0)
        return Profile({stack[cut:]: weight for stack, weight in self.stacks.items()}, self.unit)

    def table(self, count: int = 8) -> Table:
        """The functions with the most time of their own."""
        own: Counter[Frame] = Counter()
        whole: Counter[Frame] = Counter()
        for stack, weight in self.stacks.items():
            own[stack[-1]] += weight  # type: ignore[assignment]
            for frame in set(stack):
                whole[frame] += weight  # type: ignore[assignment]
        rows = [
            (frame.short, percent(weight / self.total), percent(whole[frame] / self.total))
            for frame, weight in own.most_common(count)
        ]
        return Table(["function", "itself", "with what it called"], rows)


def named(frame: Frame, function: str) -> bool:
    """Whether the frame is that function, with or without the class and functions around it."""
    return frame.function == function or frame.function.endswith(f".{function}")


def percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.095 else f"{share:.1%}"
