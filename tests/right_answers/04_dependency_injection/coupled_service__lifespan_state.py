"""What the lifespan yields is in each request's state; a class holds and opens."""

import asyncio
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


class Holder:
    def __init__(self) -> None:
        self.lock, self.clients = asyncio.Lock(), []

    async def get(self, chosen: Settings) -> ModelClient:
        async with self.lock:
            if not self.clients:
                self.clients.append(await ModelClient.open(chosen))
            return self.clients[0]


async def model_client(request: Request, chosen: Annotated[Settings, Depends(settings)]) -> ModelClient:
    return await request.state.holder.get(chosen)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    holder = Holder()
    try:
        yield {"holder": holder}
    finally:
        for client in holder.clients:
            await client.close()


def create_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan)

    @app.post("/ask")
    async def ask(
        question: Question,
        model: Annotated[ModelClient, Depends(model_client)],
        now: Annotated[Callable[[], datetime], Depends(clock)],
        user: Annotated[str, Depends(current_user)],
    ) -> Reply:
        asked_at = now()
        return Reply(text=await model.generate(question.prompt), user=user, asked_at=asked_at)

    return app
