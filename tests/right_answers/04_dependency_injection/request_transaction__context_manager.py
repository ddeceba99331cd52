"""A context manager of the pool's; the stream's rows are read before the answer begins."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.pool import Connection, Pool


class Note(BaseModel):
    text: str


@asynccontextmanager
async def begun(pool: Pool) -> AsyncIterator[Connection]:
    connection = await pool.acquire()
    done = False
    try:
        yield connection
        await connection.commit()
        done = True
    finally:
        if not done:
            await connection.rollback()
        pool.release(connection)


async def transaction(request: Request) -> AsyncIterator[Connection]:
    """A connection whose writes are kept together, or not at all."""
    pool: Pool = request.app.state.pool
    async with begun(pool) as connection:
        yield connection


# Another way is to commit in the route itself, with a dependency that only rolls back what was not committed.
Writing = Annotated[Connection, Depends(transaction, scope="function")]
Reading = Annotated[Connection, Depends(transaction, scope="function")]


async def author(connection: Writing, x_user: Annotated[str, Header()]) -> str:
    if x_user not in await connection.rows("users"):
        raise HTTPException(403, "nobody of that name")
    return x_user


def create_app(pool: Pool, announce: Callable[[str], Awaitable[None]]) -> FastAPI:
    app = FastAPI()
    app.state.pool = pool

    @app.post("/notes", status_code=201)
    async def write(note: Note, connection: Writing, by: Annotated[str, Depends(author)]) -> Note:
        await connection.insert("notes", note.text)
        await connection.insert("audit", f"{by}: {note.text}")
        await announce(note.text)
        return note

    @app.get("/notes")
    async def read(connection: Reading) -> StreamingResponse:
        rows = await connection.rows("notes")
        return StreamingResponse((f"{row}\n" for row in rows), media_type="text/plain")

    return app
