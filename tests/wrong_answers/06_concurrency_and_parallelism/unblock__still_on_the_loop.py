# fails: heartbeat
import asyncio

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import NoWords, score


class Question(BaseModel):
    text: str
    passages: int


async def compute(question):
    await asyncio.sleep(0)
    return score(question.text, question.passages)


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score")
    async def scored(question: Question) -> float:
        try:
            return await asyncio.create_task(compute(question))
        except NoWords as error:
            raise HTTPException(422, str(error)) from None

    return app
