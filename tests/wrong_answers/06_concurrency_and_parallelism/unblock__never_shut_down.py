# fails: processes left
import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import NoWords, score


class Question(BaseModel):
    text: str
    passages: int


def create_app() -> FastAPI:
    app = FastAPI()
    app.state.pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score")
    async def scored(question: Question) -> float:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(app.state.pool, score, question.text, question.passages)
        except NoWords as error:
            raise HTTPException(422, str(error)) from None

    return app
