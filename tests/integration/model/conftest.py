"""The whole model service under a real server, in front of a local Groq."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest

from prodigon_lib.model.app import create_app
from prodigon_lib.model.settings import ModelSettings
from tests.fakes.groq_server import GOOD_KEY, GroqServer, groq_server
from tests.integration.serving import serving

ServeModel = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def groq() -> AsyncIterator[GroqServer]:
    async with groq_server() as server:
        yield server


@pytest.fixture(params=["groq", "compatible"])
def serve_live(request: pytest.FixtureRequest, groq: GroqServer) -> ServeModel:
    """The service with the local server as its provider, through either SDK."""

    def settings(key: str = GOOD_KEY, **more: Any) -> ModelSettings:
        if request.param == "groq":
            own = {"groq_api_key": key, "groq_base_url": groq.url}
        else:
            own = {"openai_compatible_url": f"{groq.url}/v1", "openai_compatible_key": key}
        return ModelSettings(_env_file=None, **own, **more)

    @asynccontextmanager
    async def serve(**more: Any) -> AsyncIterator[httpx.AsyncClient]:
        async with (
            serving(create_app(settings(**more))) as url,
            httpx.AsyncClient(base_url=url, timeout=20) as http,
        ):
            yield http

    return serve


@pytest.fixture
async def simulated() -> AsyncIterator[httpx.AsyncClient]:
    """The service with the simulated model, without its latency."""
    settings = ModelSettings(_env_file=None, use_mock=True, simulated_profile="instant")
    async with serving(create_app(settings)) as url, httpx.AsyncClient(base_url=url, timeout=20) as http:
        yield http
