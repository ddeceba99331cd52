# fails: processes started
import asyncio
from concurrent.futures import ProcessPoolExecutor

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import NoWords, score


class Question(BaseModel):
    text: str
    passages: int


pools = []


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score")
    async def scored(question: Question) -> float:
        pools.append(ProcessPoolExecutor(1))
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(pools[-1], score, question.text, question.passages)
        except NoWords as error:
            raise HTTPException(422, str(error)) from None

    return app
