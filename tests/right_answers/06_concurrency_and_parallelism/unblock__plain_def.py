from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import NoWords, score


class Question(BaseModel):
    text: str
    passages: int


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score")
    def scored(question: Question) -> float:
        try:
            return score(question.text, question.passages)
        except NoWords as error:
            raise HTTPException(422, str(error)) from None

    return app
