"""Exercise 6.2: an endpoint that works hard, and lets the others live.

`POST /score` takes processor time, in plain Python, and while it works nothing else is answered: not even
`GET /beat`, by which a supervisor sees whether the service is alive. Done when

- the heartbeat's p99 while scores are computed is at most a fifth of what it was;
- each score is what it was, and a blank text is answered with 422 as before;
- the processes that you start, if any, are few, serve all requests, and end with the service.
"""

# <solution>
import asyncio
import concurrent.futures
import multiprocessing

# </solution>
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import NoWords, score


class Question(BaseModel):
    text: str
    passages: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # <gap> What should live as long as the application?
    # | yield
    # Not forked: a fork of a process with threads may inherit a lock that nobody will ever open.
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=spawn) as app.state.pool:
        yield
    # </gap>


async def result_of(request: Request, question: Question) -> float:
    """The score, without keeping the loop from its other work. Raises `NoWords`."""
    # <gap> Where does this run?
    # | return score(question.text, question.passages)
    # A thread (asyncio.to_thread, or a plain def route) frees the loop too, though all threads of a process
    # share one lock, so no two scores are computed at once.
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(request.app.state.pool, score, question.text, question.passages)
    # </gap>


def create_app() -> FastAPI:
    """`GET /beat` and `POST /score`."""
    app = FastAPI(lifespan=lifespan)

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score")
    async def scored(request: Request, question: Question) -> float:
        try:
            return await result_of(request, question)
        except NoWords as error:
            raise HTTPException(422, str(error)) from None

    return app
