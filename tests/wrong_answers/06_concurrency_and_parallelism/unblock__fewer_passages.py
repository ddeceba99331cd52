# fails: scores of 6 texts
import asyncio

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import NoWords, score


class Question(BaseModel):
    text: str
    passages: int


MOST = 10


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score")
    async def scored(question: Question) -> float:
        await asyncio.sleep(0)
        try:
            return score(question.text, min(question.passages, MOST))
        except NoWords as error:
            raise HTTPException(422, str(error)) from None

    return app
