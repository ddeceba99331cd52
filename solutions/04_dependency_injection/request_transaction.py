"""Exercise 4.2: one transaction for one request.

A request writes a note and a line of audit, then announces the note, and anything may fail on the way.

Done when both rows are there before the client is told 201, or neither is, whatever happened: an error
after the write, a refusal, a commit that fails (the client must not be told 201), a client that left. Each
request takes at most one connection, a long stream may read to its end, and after 200 mixed requests no
connection is out.
"""

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
    # <gap> Commit what went well, roll back what did not, give the connection back in any case.
    # | connection = await pool.acquire()
    # | yield connection
    # | await connection.commit()
    # | pool.release(connection)
    connection = await pool.acquire()
    try:
        yield connection
        await connection.commit()
    except BaseException:  # a client that left is a CancelledError, and that is no Exception
        await connection.rollback()
        raise  # or the framework believes that all went well
    finally:
        pool.release(connection)
    # </gap>


# <gap> Say when each ends: "function", before the answer is sent, or "request", after it.
# | Writing = Annotated[Connection, Depends(transaction)]
# | Reading = Annotated[Connection, Depends(transaction)]
# Another way is to commit in the route itself, with a dependency that only rolls back what was not committed.
Writing = Annotated[Connection, Depends(transaction, scope="function")]
Reading = Annotated[Connection, Depends(transaction, scope="request")]
# </gap>


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
