"""Rows as CSV that a spreadsheet shows and does not run: a model's words are anybody's.

Source: OWASP, "CSV Injection". Each cell is quoted, and one that begins like a formula gets an apostrophe
before it, which a spreadsheet takes as "this is text". A cell that begins with an apostrophe of its own gets
one more, so whoever takes away one leading apostrophe has each cell as it was. JSON is written as it is.

What it can't do: a program that reads the file with another separator than the comma cuts cells elsewhere.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = ("number", "prompt", "result", "error")
MARK = "'"
FORMULA = re.compile(r"[\s\u200b-\u200f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n']")
"""Spaces, also those of no width, count for nothing: some programs trim a cell before they look at it."""


def as_table(rows: Sequence[Mapping[str, Any]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([harmless(row[name]) for name in COLUMNS])
    return file.getvalue()


def harmless(value: Any) -> Any:
    return f"{MARK}{value}" if isinstance(value, str) and FORMULA.match(value) else value


def as_it_was(cell: str) -> str:
    """A cell of `as_table`, without what `harmless` put before it."""
    return cell.removeprefix(MARK)
