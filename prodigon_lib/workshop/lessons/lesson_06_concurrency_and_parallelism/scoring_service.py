"""A service that works hard, in three ways; with the lag of its loop among its metrics, as every service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from prodigon_lib.core.http.application import Service
from prodigon_lib.core.settings import LogLevel, Settings
from prodigon_lib.workshop.heartbeat import Beat, beats_of
from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import score
from prodigon_lib.workshop.load import closed_loop, open_loop
from prodigon_lib.workshop.pool import process_pool
from prodigon_lib.workshop.targets import Target

FACTORY = f"{__name__}:create_app"
TEXT, PASSAGES = "What is an event loop?", 20_000
BEATS_A_SECOND = 100
WARN_SECONDS = 0.03
"""Much less than a score takes, also on a machine that is several times as fast as most."""


def create_app() -> FastAPI:
    """`GET /beat`, and `POST /score/blocking`, `/score/thread`, `/score/process`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with process_pool(1) as app.state.pool:
            await asyncio.get_running_loop().run_in_executor(app.state.pool, score, TEXT, 1)  # warm
            yield

    settings = Settings(_env_file=None, log_level=LogLevel.WARNING, loop_lag_warn_seconds=WARN_SECONDS)
    app = Service("scoring", settings).application(title="Scoring", description="", lifespan=lifespan)

    @app.get("/beat")
    async def beat() -> str:
        return "alive"

    @app.post("/score/blocking")
    async def blocking() -> float:
        return score(TEXT, PASSAGES)

    @app.post("/score/thread")
    async def thread() -> float:
        return await asyncio.to_thread(score, TEXT, PASSAGES)

    @app.post("/score/process")
    async def process() -> float:
        return await asyncio.get_running_loop().run_in_executor(app.state.pool, score, TEXT, PASSAGES)

    return app


async def beats_beside(url: str, way: str, *, scores: int = 3, seconds: float = 1.5) -> list[Beat]:
    """Ask for a heartbeat at even times, while a single client asks for scores, one after the other."""
    heart = open_loop(Target(f"{url}/beat"), rate=BEATS_A_SECOND, seconds=seconds, arrivals="even")
    work = closed_loop(Target(f"{url}/score/{way}", method="POST"), in_flight=1, count=scores)
    load, _ = await asyncio.gather(heart, work)
    return beats_of(load)
