"""A table of a report, as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """`key` names its files. `note` stands below it."""

    key: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        marks = ["---"] + ["---:"] * (len(self.columns) - 1)
        lines = [row(self.columns), row(marks), *(row(cells) for cells in self.rows)]
        parts = [f"**{self.title}**", "\n".join(lines), self.note]
        return "\n\n".join(part for part in parts if part)


def row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def notes(known: Mapping[str, str], names: Iterable[str]) -> str:
    """What each of `names` does and does not do, one a line."""
    return "\n".join(f"- {name}: {known[name]}" for name in names if name in known)
