# fails: clients opened by two applications
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Header
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


CLIENTS = {}
opening = asyncio.Lock()


async def model_client(chosen: Annotated[Settings, Depends(settings)]) -> ModelClient:
    async with opening:
        if "model" not in CLIENTS:
            CLIENTS["model"] = await ModelClient.open(chosen)
        return CLIENTS["model"]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    if client := CLIENTS.pop("model", None):
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
