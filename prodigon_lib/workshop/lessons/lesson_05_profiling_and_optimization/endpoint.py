"""The endpoint that answers from documents, and its builds: any of the four steps slow or mended."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self

from fastapi import Body, FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from prodigon_lib.workshop.budget import Budget
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization import steps
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.shelf import (
    GREETINGS,
    Passage,
    Shelf,
    matching,
)

QUESTION = "Which request waits behind another while the model writes tokens, and where?"
USER = f"user-{GREETINGS - 7}"
MOST = 200
"""Passages that a question may find."""

BUDGET = Budget({"queries": 4, "calls": 6_000, "files opened": 0, "JSON parsed": 0})
"""What one answer may spend once the process is warm; calls with some room, for drivers change."""

Titles = Callable[[AsyncConnection, Sequence[Passage]], Awaitable[dict[int, str]]]


@dataclass(frozen=True)
class Build:
    """One way to do each step."""

    titles: Titles = steps.titles_one_by_one
    distinct: Callable[[Sequence[Passage]], list[Passage]] = steps.distinct_by_comparing
    mark: Callable[[Sequence[Passage], str], list[str]] = steps.mark_reading_rules
    greet: Callable[[Path, str], str] = steps.greeting_from_file

    def mended(self, *names: str) -> Self:
        """With these steps as the good build has them; all of them if none is named."""
        return replace(self, **{name: MENDED[name] for name in names or MENDED})

    def broken(self, name: str) -> Self:
        """With the fault of this step put back."""
        return replace(self, **{name: getattr(Build(), name)})

    async def answer(self, shelf: Shelf, question: str = QUESTION, user: str = USER, most: int = MOST) -> Any:
        """What the endpoint says."""
        async with shelf.engine.connect() as connection:
            passages = await matching(connection, question, most)
            titles = await self.titles(connection, passages)
        kept = self.distinct(passages)
        texts = self.mark(kept, shelf.rules_text)
        sources = [
            {"title": titles[each.document_id], "text": body} for each, body in zip(kept, texts, strict=True)
        ]
        return {"greeting": self.greet(shelf.greetings, user), "sources": sources}


STEPS = ("titles", "distinct", "mark", "greet")
MENDED: dict[str, Any] = {
    "titles": steps.titles_at_once,
    "distinct": steps.distinct_by_key,
    "mark": steps.mark_with_rules,
    "greet": steps.greeting_kept,
}


def function_of(step: str, build: Build) -> str:
    """The name that a profiler shows for a step."""
    return str(getattr(build, step).__name__)


def documents_app(shelf: Shelf, build: Build) -> FastAPI:
    """The build behind `POST /answer`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with shelf.connected_anew() as own:
            app.state.shelf = own
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/answer")
    async def answer(question: Annotated[str, Body(embed=True)] = QUESTION) -> Any:
        return await build.answer(app.state.shelf, question)

    return app
