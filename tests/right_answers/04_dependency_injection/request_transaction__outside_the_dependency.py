"""A raw middleware begins and ends it; the dependency only hands it on. Writes alone are held back."""

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
    yield request.state.connection


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

    class Transactions:
        """Holds the answer to a write back until the commit."""

        def __init__(self, inner) -> None:
            self.inner = inner

        async def __call__(self, scope, receive, send) -> None:
            if scope["type"] != "http":
                await self.inner(scope, receive, send)
                return
            held: list = []

            async def hold(message) -> None:
                held.append(message)

            connection = scope["state"]["connection"] = await pool.acquire()
            try:
                writing = scope["method"] != "GET"
                await self.inner(scope, receive, hold if writing else send)
                if not held or held[0]["status"] < 400:
                    await connection.commit()
                else:
                    await connection.rollback()
            except BaseException:
                await connection.rollback()
                raise
            finally:
                pool.release(connection)
            for message in held:
                await send(message)

    app.add_middleware(Transactions)

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
