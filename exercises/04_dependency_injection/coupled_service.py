"""Exercise 4.1: take the coupled service apart.

It works, and nobody can test it: each request reads the environment, opens a client of its own and looks at
the computer's clock, and there is only one user. Let its route be given what the four providers give.

Done when it starts and answers with no key and no network, by overrides of the four alone; when 100
requests, many of them at once, share one client, made from the injected settings and closed once when the
application ends; and when two applications share nothing.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.model_client import ModelClient, Settings


class Question(BaseModel):
    prompt: str


class Reply(BaseModel):
    text: str
    user: str
    asked_at: datetime


def settings() -> Settings:
    return Settings.from_environment()


def clock() -> Callable[[], datetime]:
    return lambda: datetime.now(UTC)


def current_user(x_user: Annotated[str, Header()] = "anonymous") -> str:
    return x_user


async def model_client(request: Request, chosen: Annotated[Settings, Depends(settings)]) -> ModelClient:
    # TODO Give back the application's one client; open it when it is first asked for.
    raise NotImplementedError


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # TODO Close at the end what was opened meanwhile.
    yield


def create_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan)

    # TODO Take the model, the clock and the user from their providers.
    @app.post("/ask")
    async def ask(question: Question) -> Reply:
        client = await ModelClient.open(Settings.from_environment())
        try:
            text = await client.generate(question.prompt)
        finally:
            await client.close()
        return Reply(text=text, user="somebody", asked_at=datetime.now(UTC))

    return app
