"""A whole model service with a scripted provider, and a client over each carrier."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.model.app import create_app
from prodigon_lib.model.in_process import InProcessModelClient
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.carriers import model_carrier
from prodigon_lib.transport.http import Timeouts
from prodigon_lib.transport.model import ModelClient
from tests.integration.serving import serving
from tests.integration.transport.provider import ScriptedProvider

CARRIERS = ("http", "grpc", "in-process")
WIRES = CARRIERS[:2]


@dataclass
class Served:
    """A model service that runs, over both wires."""

    app: Any
    provider: ScriptedProvider
    urls: dict[str, str]


Carry = Callable[..., AbstractAsyncContextManager[ModelClient]]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def model_service(
    provider: ScriptedProvider, *, port: int = 0, wire: str = "http", **settings: Any
) -> AsyncIterator[Served]:
    """`port` is the one of `wire`; the other's is a free one."""
    grpc_port = port if port and wire == "grpc" else free_port()
    names = {"default_model": "small", "fallback_model": "small"}
    made = ModelSettings(_env_file=None, model_grpc_port=grpc_port, **names, **settings)
    app = create_app(made, providers=[provider])
    async with serving(app, port=port if wire == "http" else 0) as url:
        yield Served(app, provider, {"http": url, "grpc": f"grpc://127.0.0.1:{grpc_port}"})


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with model_service(ScriptedProvider()) as running:
        yield running


@asynccontextmanager
async def carried(
    *urls: str, timeouts: Timeouts | None = None, resilience: Resilience | None = None
) -> AsyncIterator[ModelClient]:
    telemetry = Telemetry("test", Settings(_env_file=None))
    client, connection = model_carrier(urls, telemetry, timeouts or Timeouts(), resilience=resilience)
    await connection.open()
    try:
        yield client
    finally:
        await connection.close()


@pytest.fixture(params=CARRIERS)
async def client(request: pytest.FixtureRequest, served: Served) -> AsyncIterator[ModelClient]:
    """The same service over each carrier."""
    if request.param == "in-process":
        yield InProcessModelClient(served.app.state.model)
        return
    async with carried(served.urls[request.param]) as made:
        yield made


async def first_of(stream: Any, count: int) -> list[Any]:
    """So many items; the stream stays open."""
    async with asyncio.timeout(10):
        return [await anext(stream) for _ in range(count)]
