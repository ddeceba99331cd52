# fails: the status for a blank text
import asyncio

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import score


class Question(BaseModel):
    text: str
    passages: int


async def compute(question):
    (result,) = await asyncio.gather(
        asyncio.to_thread(score, question.text, question.passages), return_exceptions=True
    )
    if isinstance(result, Exception):
        raise HTTPException(500, str(result))
    return result


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score")
    async def scored(question: Question) -> float:
        return await compute(question)

    return app
