"""A service with a leak, and an endpoint without one.

For a process of its own: in one that has lived for long, a leak first fills what was freed before.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from prodigon_lib.core.http.application import Service
from prodigon_lib.core.settings import Settings

FACTORY = f"{__name__}:create_app"
LEAK = 200_000
"""Bytes a request."""


def create_app() -> FastAPI:
    @asynccontextmanager
    async def nothing(_: FastAPI) -> AsyncIterator[None]:
        yield

    kept: list[bytes] = []
    app = Service("demo", Settings(_env_file=None)).application(
        title="demo", description="", lifespan=nothing
    )

    @app.get("/leak")
    async def leak() -> None:
        kept.append(b"x" * LEAK)

    @app.get("/sound")
    async def sound() -> None:
        len(b"x" * LEAK)

    return app
