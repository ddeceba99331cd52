"""A small table that reads well in a notebook and in a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from prodigon_lib.core.terminal import plain

LONGEST_CELL = 60
CELL = "text-align:left;padding:2px 14px 2px 0;vertical-align:top"


class Table:
    """Rows under named columns; `rows` keeps the values as they came."""

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        self.columns = list(columns)
        self.rows = [tuple(row) for row in rows]

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> "Table":
        """From records; the columns are the first record's keys unless they are named."""
        kept = list(records)
        names = list(columns or (kept[0] if kept else ()))
        return cls(names, [[record.get(name) for name in names] for record in kept])

    def __len__(self) -> int:
        return len(self.rows)

    def head(self, count: int) -> "Table":
        """The first `count` rows."""
        return Table(self.columns, self.rows[:count])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="{CELL}">{escape(name)}</th>' for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f'<td style="{CELL}">{escape(shown(value))}</td>' for value in row) + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __repr__(self) -> str:
        cells = [self.columns, *([shown(value) for value in row] for row in self.rows)]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells
        ]
        return "\n".join(line.rstrip() for line in lines)


def shown(value: Any) -> str:
    """A value as a cell shows it: one line, shortened, times without the date."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
    if isinstance(value, datetime):
        return value.strftime("%H:%M:%S.%f")[:-3]
    text = plain(" ".join(str(value).split()))
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
