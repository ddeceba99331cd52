# fails: an error after the writes: connections out afterwards
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.pool import Connection, Pool


class Note(BaseModel):
    text: str


async def transaction(request: Request) -> AsyncIterator[Connection]:
    """A connection whose writes are kept together, or not at all."""
    pool: Pool = request.app.state.pool
    connection = await pool.acquire()
    yield connection
    await connection.commit()
    pool.release(connection)


# Another way is to commit in the route itself, with a dependency that only rolls back what was not committed.
Writing = Annotated[Connection, Depends(transaction, scope="function")]
Reading = Annotated[Connection, Depends(transaction, scope="request")]


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
        lines = (f"{row}\n" async for row in connection.each("notes"))
        return StreamingResponse(lines, media_type="text/plain")

    return app
