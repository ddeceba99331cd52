# fails: clients closed after both have ended
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


class Held:
    """What one application holds."""

    def __init__(self) -> None:
        self.opening = asyncio.Lock()
        self.client: ModelClient | None = None


async def model_client(request: Request, chosen: Annotated[Settings, Depends(settings)]) -> ModelClient:
    # Not in the lifespan, which no override reaches. Two requests may both come first, and opening takes a
    # while, so there is a lock; a task that all of them await would do as well.
    held: Held = request.app.state.held
    async with held.opening:
        if held.client is None:
            held.client = await ModelClient.open(chosen)
        return held.client


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.held = Held()
    yield


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
