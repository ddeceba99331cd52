"""The four steps between finding passages and an answer, each written twice: in a hurry, and after measuring.

The two of a step give the same. What the slow ones do wrong is what real code does wrong: a query per row, a
comparison of each with each, work repeated that never changes, a file read while everybody waits.
"""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.shelf import Passage

ONE_TITLE = text("SELECT title FROM lesson_05.documents WHERE id = :id")
ALL_TITLES = text("SELECT id, title FROM lesson_05.documents WHERE id = ANY(:ids)")
WORDS = re.compile(r"\w+")


async def titles_one_by_one(connection: AsyncConnection, passages: Sequence[Passage]) -> dict[int, str]:
    titles: dict[int, str] = {}
    for passage in passages:
        if passage.document_id not in titles:
            row = await connection.execute(ONE_TITLE, {"id": passage.document_id})
            titles[passage.document_id] = str(row.scalar_one())
    return titles


async def titles_at_once(connection: AsyncConnection, passages: Sequence[Passage]) -> dict[int, str]:
    rows = await connection.execute(ALL_TITLES, {"ids": list({each.document_id for each in passages})})
    return {int(row.id): str(row.title) for row in rows}


def same(one: str, other: str) -> bool:
    """Whether two passages have the same words, whatever stands between them."""
    return WORDS.findall(one.lower()) == WORDS.findall(other.lower())


def distinct_by_comparing(passages: Sequence[Passage]) -> list[Passage]:
    kept: list[Passage] = []
    for passage in passages:
        if not any(same(passage.body, each.body) for each in kept):
            kept.append(passage)
    return kept


def distinct_by_key(passages: Sequence[Passage]) -> list[Passage]:
    kept: dict[tuple[str, ...], Passage] = {}
    for passage in passages:
        kept.setdefault(tuple(WORDS.findall(passage.body.lower())), passage)
    return list(kept.values())


def mark_reading_rules(passages: Sequence[Passage], rules_text: str) -> list[str]:
    return [marked(passage.body, rules_text) for passage in passages]


def marked(body: str, rules_text: str) -> str:
    rules = json.loads(rules_text)
    pattern = re.compile("|".join(sorted(rules)))
    return pattern.sub(lambda match: str(rules[match[0]]["mark"]), body)


def mark_with_rules(passages: Sequence[Passage], rules_text: str) -> list[str]:
    rules, pattern = rules_of(rules_text)
    return [pattern.sub(lambda match: str(rules[match[0]]["mark"]), each.body) for each in passages]


@lru_cache(maxsize=4)
def rules_of(rules_text: str) -> tuple[dict[str, Any], re.Pattern[str]]:
    """Parsed and compiled once for each text of the rules, and again when the text changes."""
    rules = json.loads(rules_text)
    return rules, re.compile("|".join(sorted(rules)))


def greeting_from_file(path: Path, user: str) -> str:
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, greeting = line.partition("\t")
        if name == user:
            return greeting
    return ""


def greeting_kept(path: Path, user: str) -> str:
    return greetings_of(path, path.stat().st_mtime_ns).get(user, "")


@lru_cache(maxsize=4)
def greetings_of(path: Path, changed: int) -> dict[str, str]:
    """Read once for each state of the file; `changed` is when it was written."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: greeting for name, _, greeting in (line.partition("\t") for line in lines)}
