"""A service that writes notes to a real Postgres, and notes down when its transaction ends."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import Body, Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from prodigon_lib.persistence.engine import create_engine
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.workshop.asgi import Reply, started
from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.ledger import Ledger

Scope = Literal["function", "request"]
FRESH_TABLE = (
    "DROP TABLE IF EXISTS lesson_04_notes",
    # Checked at the commit and not at the insert, so that the commit is what fails.
    "CREATE TABLE lesson_04_notes (note text UNIQUE DEFERRABLE INITIALLY DEFERRED)",
)
INSERT = text("INSERT INTO lesson_04_notes (note) VALUES (:note)")


def notes_app(engine: AsyncEngine, ledger: Ledger, scope: Scope) -> FastAPI:
    """`scope` says when connection and transaction end: before the answer, or after it."""
    app = FastAPI()

    async def connection() -> AsyncIterator[AsyncConnection]:
        with ledger.life("connection"):
            async with engine.connect() as opened:
                yield opened

    async def transaction(
        opened: Annotated[AsyncConnection, Depends(connection, scope=scope)],
    ) -> AsyncIterator[AsyncConnection]:
        with ledger.life("transaction"):
            async with opened.begin():
                yield opened

    @app.post("/notes", status_code=201)
    async def write(
        note: Annotated[str, Body(embed=True)],
        opened: Annotated[AsyncConnection, Depends(transaction, scope=scope)],
    ) -> str:
        with ledger.life("route"):
            await opened.execute(INSERT, {"note": note})
        return note

    return app


async def write_notes(database_url: str, notes: list[str], scope: Scope) -> tuple[list[Reply], int, Ledger]:
    """Write the notes into a fresh table, one request each.

    Returns:
        The replies, how many notes are in the table afterwards, and the ledger of the last request.
    """
    engine, ledger = create_engine(parse_database_url(database_url)), Ledger()
    try:
        async with engine.begin() as opened:
            for statement in FRESH_TABLE:
                await opened.execute(text(statement))
        replies = []
        for note in notes:
            ledger = Ledger()
            replies.append(await write_note(notes_app(engine, ledger, scope), note, ledger))
        async with engine.connect() as opened:
            kept = await opened.scalar(text("SELECT count(*) FROM lesson_04_notes"))
    finally:
        await engine.dispose()
    return replies, int(kept or 0), ledger


async def write_note(app: FastAPI, note: str, ledger: Ledger) -> Reply:
    async with started(app) as service:
        return await service.ask(
            "POST", "/notes", {"note": note}, on_start=lambda status: ledger.mark(f"told {status}")
        )
