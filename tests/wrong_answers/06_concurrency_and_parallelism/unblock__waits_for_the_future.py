# fails: heartbeat
import asyncio
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import NoWords, score


class Question(BaseModel):
    text: str
    passages: int


@asynccontextmanager
async def lifespan(app):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as app.state.pool:
        yield


def create_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan)

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score")
    async def scored(question: Question) -> float:
        await asyncio.sleep(0)
        try:
            return app.state.pool.submit(score, question.text, question.passages).result()
        except NoWords as error:
            raise HTTPException(422, str(error)) from None

    return app
