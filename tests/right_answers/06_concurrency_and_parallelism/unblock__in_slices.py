import asyncio

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import (
    NoWords,
    cosine,
    embedding,
)


class Question(BaseModel):
    text: str
    passages: int


SLICE = 20


async def compute(question):
    if not question.text.strip():
        raise NoWords("a text without words has no score")
    own, best = embedding(question.text), -1.0
    for number in range(question.passages):
        best = max(best, cosine(own, embedding(f"passage {number} {number * number}")))
        if number % SLICE == 0:
            await asyncio.sleep(0)
    return best


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score")
    async def scored(question: Question) -> float:
        try:
            return await compute(question)
        except NoWords as error:
            raise HTTPException(422, str(error)) from None

    return app
