"""Opened in the lifespan, which asks for the overrides itself."""

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


async def model_client(request: Request) -> ModelClient:
    return request.app.state.client


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    if model_client in app.dependency_overrides:
        yield
        return
    chosen = app.dependency_overrides.get(settings, settings)()
    app.state.client = await ModelClient.open(chosen)
    try:
        yield
    finally:
        await app.state.client.close()


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
