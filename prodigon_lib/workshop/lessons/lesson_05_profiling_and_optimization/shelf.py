"""The documents that the endpoint answers from: in Postgres, in a schema that goes when they are closed.

They are the workshop's own text. Each document is there in several editions, as a crawler leaves them, so
that most passages are found more than once.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from prodigon_lib.model.providers.simulated.corpus import Section, load_curriculum
from prodigon_lib.persistence.engine import create_engine
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url

SCHEMA = (
    "DROP SCHEMA IF EXISTS lesson_05 CASCADE",
    "CREATE SCHEMA lesson_05",
    "CREATE TABLE lesson_05.documents (id int PRIMARY KEY, title text NOT NULL)",
    """CREATE TABLE lesson_05.passages (
        id int PRIMARY KEY, document_id int NOT NULL REFERENCES lesson_05.documents, body text NOT NULL)""",
)
EDITIONS = 3
MATCHING = text(
    "SELECT id, document_id, body FROM lesson_05.passages WHERE body ILIKE ANY(:likes)"
    " ORDER BY id LIMIT :most"
)
TERMS = (
    "queue lease worker request token stream cache latency percentile budget breaker retry timeout gateway"
    " model transaction index replica shard lock batch throughput profile sample trace span metric deadline"
).split()
GREETINGS = 40_000
"""Lines in the file of greetings, of which an answer needs one."""


class Passage(NamedTuple):
    """One passage that was found."""

    id: int
    document_id: int
    body: str


class Shelf:
    """The documents in Postgres, and two files that belong to them: rules of marking, and greetings."""

    def __init__(self, url: DatabaseUrl, folder: TemporaryDirectory[str]) -> None:
        self._url, self._folder = url, folder
        self.engine = create_engine(url)
        self.rules_text = json.dumps({term: rule_of(term) for term in TERMS})
        self.greetings = Path(folder.name, "greetings.txt")
        self.greetings.write_text("".join(f"user-{n}\tHello, user {n}.\n" for n in range(GREETINGS)), "utf-8")

    @classmethod
    async def open(cls, database_url: str) -> Self:
        """Fill a fresh schema."""
        shelf = cls(parse_database_url(database_url), TemporaryDirectory(prefix="lesson-05-"))
        async with shelf.engine.begin() as connection:
            for statement in SCHEMA:
                await connection.execute(text(statement))
            await fill(connection, load_curriculum())
        return shelf

    @asynccontextmanager
    async def connected_anew(self) -> AsyncIterator["Shelf"]:
        """The same shelf over connections of its own: those of another event loop can't be used."""
        own = copy(self)
        own.engine = create_engine(self._url)
        try:
            yield own
        finally:
            await own.engine.dispose()

    async def close(self) -> None:
        """Drop the schema, and give everything back."""
        async with self.engine.begin() as connection:
            await connection.execute(text("DROP SCHEMA IF EXISTS lesson_05 CASCADE"))
        await self.engine.dispose()
        self._folder.cleanup()


async def fill(connection: AsyncConnection, sections: list[Section]) -> None:
    documents: list[dict[str, object]] = []
    passages: list[dict[str, object]] = []
    for edition in range(EDITIONS):
        for section in sections:
            document = len(documents)
            documents.append({"id": document, "title": f"{section.topic}: {section.title}"})
            passages += [{"document": document, "body": reset(body, edition)} for body in section.sentences]
    await connection.execute(text("INSERT INTO lesson_05.documents VALUES (:id, :title)"), documents)
    await connection.execute(
        text("INSERT INTO lesson_05.passages VALUES (:id, :document, :body)"),
        [{"id": place, **passage} for place, passage in enumerate(passages)],
    )


def reset(body: str, edition: int) -> str:
    """The same words as another edition sets them: spaces and capitals differ, and the words do not."""
    return (body, body.replace(" ", "  "), body.upper())[edition]


def rule_of(term: str) -> dict[str, object]:
    """How a term is marked in an answer, with what an editor wants to know beside it."""
    return {
        "mark": f"**{term}**",
        "aliases": [f"{term}s", f"{term} ({term[0]})"],
        "notes": f"see {term} " * 40,
    }


async def matching(connection: AsyncConnection, question: str, most: int) -> list[Passage]:
    """The passages with one of the question's longer words in them, in order."""
    likes = [f"%{word.strip('?.,!')}%" for word in question.split() if len(word) > 4]
    rows = await connection.execute(MATCHING, {"likes": likes, "most": most})
    return [Passage(*row) for row in rows]
