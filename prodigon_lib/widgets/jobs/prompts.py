"""Prompts as people have them: a line each, a column of a table, a JSON document a line."""

import csv
import io
import json
from typing import Any

from prodigon_lib.core.errors import BadRequest
from prodigon_lib.core.schemas.generate import MAX_PROMPT
from prodigon_lib.core.schemas.jobs import MAX_PROMPTS
from prodigon_lib.widgets.jobs.spreadsheet import COLUMNS, as_it_was

COLUMN = "prompt"
MOST = 10 * MAX_PROMPTS


def read_prompts(text: str, name: str = "") -> list[str]:
    """The prompts in a text that was typed, or in a file of that name.

    A name that ends in `.csv`: the column `prompt`, else the first; what the jobs panel has
    written, as it was before. In `.jsonl`: strings, or objects with `prompt`. Else: a line each. Empty ones
    are left out.

    Raises:
        BadRequest: there is none, one can't be read or is too long, or there are more than ten jobs take.
    """
    reads = {"csv": of_table, "jsonl": of_documents}.get(name.rpartition(".")[2].lower(), of_lines)
    found = [prompt for each in reads(text.removeprefix("\ufeff")) if (prompt := each.strip())]
    if not found:
        raise BadRequest("there is no prompt in it: write one a line")
    if len(found) > MOST:
        raise BadRequest(f"{len(found)} prompts are too many: {MOST} at most, in jobs of {MAX_PROMPTS}")
    for place, prompt in enumerate(found, start=1):
        if len(prompt) > MAX_PROMPT:
            raise BadRequest(f"prompt {place} has {len(prompt)} characters; {MAX_PROMPT} at most")
    return found


def in_jobs(prompts: list[str]) -> list[list[str]]:
    """As few jobs as take them all, in order."""
    return [prompts[at : at + MAX_PROMPTS] for at in range(0, len(prompts), MAX_PROMPTS)]


def of_lines(text: str) -> list[str]:
    return text.splitlines()


def of_table(text: str) -> list[str]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise BadRequest(f"this is no table that can be read: {error}") from None
    heads = [head.strip().lower() for head in rows[0]] if rows else []
    if COLUMN in heads:
        place = heads.index(COLUMN)
        found = [row[place] for row in rows[1:] if place < len(row)]
        return [as_it_was(cell) for cell in found] if tuple(heads) == COLUMNS else found
    return [row[0] for row in rows]


def of_documents(text: str) -> list[str]:
    return [of_document(line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def of_document(line: str, number: int) -> str:
    try:
        found: Any = json.loads(line)
    except ValueError:
        raise BadRequest(f"line {number} is not JSON") from None
    prompt = found.get(COLUMN) if isinstance(found, dict) else found
    if not isinstance(prompt, str):
        raise BadRequest(f'line {number} must be a string, or an object with "{COLUMN}"')
    return prompt
