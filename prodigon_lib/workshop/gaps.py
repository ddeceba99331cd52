"""Gaps: what an exercise leaves out of its solution. The exercise is generated, so that the two can't drift.

In a solution, of Python here, the comment sign being the file's own (`//` in a proto):

    async def submit(self, prompt: str) -> str:
        # <gap> Put the prompt into the waiting list, and wait for its result.
        # | return (await self.call([prompt]))[0]
        self._waiting.append(prompt)
        …
        # </gap>

makes in the exercise:

    async def submit(self, prompt: str) -> str:
        # TODO Put the prompt into the waiting list, and wait for its result.
        return (await self.call([prompt]))[0]

Lines after `# |`, straight below the mark, are what the exercise begins with; without any, Python begins with
`raise NotImplementedError`, and other files with nothing. One to three gaps a file, not nested. What stands
between `# <solution>` and `# </solution>` is in the solution alone: an import, or why it was done so.
"""

import re
from dataclasses import dataclass, field
from pathlib import PurePath

from prodigon_lib.workshop.faults import WorkshopError

SIGNS = {
    ".py": "#",
    ".conf": "#",
    ".yaml": "#",
    ".yml": "#",
    ".toml": "#",
    ".sh": "#",
    ".proto": "//",
    ".sql": "--",
}
MOST_GAPS = 3


class BadGap(WorkshopError):
    """The marks of a solution are wrong; the message has file and line."""

    default_code = "BAD_GAP"


@dataclass(frozen=True)
class Marked:
    """A solution taken apart.

    Args:
        exercise: the text that a learner starts from.
        reference: the solution without its marks.
        tasks: what each gap asks for, in order.
    """

    exercise: str
    reference: str
    tasks: tuple[str, ...]


@dataclass
class Block:
    """An open mark and the lines under it."""

    kind: str
    line: int
    indent: str
    task: str
    start: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)


def marks_of(name: str) -> re.Pattern[str]:
    """How a mark looks in a file of that name.

    Raises:
        BadGap: no comment sign is known for its suffix.
    """
    suffix = PurePath(name).suffix
    if suffix not in SIGNS:
        raise BadGap(f"{name}: exercises are {', '.join(SIGNS)}, not {suffix or 'files without a suffix'}")
    opens = r"<(?P<open>gap|solution)>(?P<task>.*)"
    closes = r"</(?P<close>gap|solution)>\s*"
    start = r"\|(?: (?P<start>.*))?"
    return re.compile(rf"(?P<indent>\s*){re.escape(SIGNS[suffix])} ?(?:{opens}|{closes}|{start})")


def take_apart(text: str, name: str) -> Marked:
    """The exercise and the reference in a solution's text.

    Args:
        name: of the file; its suffix decides the comment sign.

    Raises:
        BadGap: a mark is unclosed, nested, without a task, or there are none or more than three gaps.
    """
    pattern = marks_of(name)
    exercise: list[str] = []
    reference: list[str] = []
    tasks: list[str] = []
    block: Block | None = None
    closing_up = False
    for number, line in enumerate(text.splitlines(), 1):
        match = pattern.fullmatch(line)
        place = f"{name}, line {number}"
        if match and match["open"]:
            block = opened(match, number, block, place)
        elif match and match["close"]:
            if block is None or block.kind != match["close"]:
                raise BadGap(f"{place}: </{match['close']}> closes nothing")
            if block.kind == "gap":
                tasks.append(block.task)
                exercise += beginning(block, name, place)
            else:  # it leaves nothing: the blank lines around it are not to meet
                closing_up = not exercise or not exercise[-1]
            block = None
        elif match and block is not None and block.kind == "gap" and not block.body:
            block.start.append(block.indent + match["start"] if match["start"] else "")
        elif block is not None:
            block.body.append(line)
            reference.append(line)
        else:
            closing_up = closing_up and not line
            if not closing_up:
                exercise.append(line)
            reference.append(line)
    if block is not None:
        raise BadGap(f"{name}, line {block.line}: <{block.kind}> is never closed")
    if not 1 <= len(tasks) <= MOST_GAPS:
        raise BadGap(f"{name}: {len(tasks)} gaps; an exercise has one to {MOST_GAPS}")
    return Marked(joined(exercise), joined(reference), tuple(tasks))


def opened(match: re.Match[str], number: int, block: Block | None, place: str) -> Block:
    if block is not None:
        raise BadGap(f"{place}: <{match['open']}> inside <{block.kind}> of line {block.line}")
    task = match["task"].strip()
    if match["open"] == "gap" and not task:
        raise BadGap(f"{place}: a gap says what to do: <gap> Count the calls.")
    return Block(match["open"], number, match["indent"], task)


def beginning(block: Block, name: str, place: str) -> list[str]:
    """What the exercise has where the gap is."""
    if not any(line.strip() for line in block.body):
        raise BadGap(f"{place}: nothing is left out here")
    todo = f"{block.indent}{SIGNS[PurePath(name).suffix]} TODO {block.task}"
    if not block.start and name.endswith(".py"):
        return [todo, f"{block.indent}raise NotImplementedError"]
    return [todo, *block.start]


def joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n") + "\n"
