"""So many requests an address: in one gateway, and in two that share a Redis."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from prodigon_lib.gateway import rate_limit
from prodigon_lib.gateway.app import create_app
from tests.integration.gateway.conftest import settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.redis_server import RedisServer

GENERATE = {"prompt": "Hello"}


def gateway(model: FakeModel, jobs: FakeJobs, **settings: Any) -> Any:
    return create_app(settings_for(rate_limit="5/hour", **settings), model=model, jobs=jobs)


def client_of(app: Any, address: str = "203.0.113.7") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


async def ask(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await client.post("/api/v1/generate", json=GENERATE, headers=headers)


async def test_the_limit_gets_in_and_the_next_is_told_when(model: FakeModel, jobs: FakeJobs) -> None:
    async with client_of(gateway(model, jobs)) as client:
        answers = [await ask(client) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"address";q=5;w=3600'
    assert answers[0].headers["ratelimit"].startswith('"address";r=4;t=')
    refused = answers[-1]
    assert refused.headers["ratelimit"].startswith('"address";r=0;t=')
    assert 700 < int(refused.headers["retry-after"]) <= 720
    assert refused.json()["error"]["code"] == "RATE_LIMITED"


async def test_no_route_is_left_out_but_those_of_probes(model: FakeModel, jobs: FakeJobs) -> None:
    app = gateway(model, jobs)
    async with client_of(app) as client:
        for _ in range(5):
            await ask(client)
        for path in ("/api/v1/jobs", "/v1/models", "/docs", "/openapi.json", "/nowhere"):
            assert (await client.get(path)).status_code == 429
        openai = await client.post("/v1/chat/completions", json={"model": "m", "messages": []})
        assert openai.status_code == 429
        assert openai.json()["error"]["type"]
        for path in ("/health", "/health/live", "/metrics"):
            assert (await client.get(path)).status_code == 200
        assert 'prodigon_rate_limited_total{policy="address"} 6.0' in (await client.get("/metrics")).text


async def test_who_calls_can_not_be_forged(model: FakeModel, jobs: FakeJobs) -> None:
    async with client_of(gateway(model, jobs)) as client:
        statuses = [
            (await ask(client, **{"X-Forwarded-For": f"198.51.100.{n}"})).status_code for n in range(6)
        ]
    assert statuses == [200] * 5 + [429]


async def test_a_trusted_proxy_says_who_calls(model: FakeModel, jobs: FakeJobs) -> None:
    app = gateway(model, jobs, trusted_proxies="10.0.0.0/8")
    async with client_of(app, "10.0.0.1") as proxy:
        theirs = [(await ask(proxy, **{"X-Forwarded-For": "203.0.113.1"})).status_code for _ in range(6)]
        another = (await ask(proxy, **{"X-Forwarded-For": "203.0.113.1, 203.0.113.2"})).status_code
    assert theirs == [200] * 5 + [429]
    assert another == 200


async def test_two_gateways_let_exactly_the_limit_in(
    model: FakeModel, jobs: FakeJobs, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred at once, dealt out over both."""
    monkeypatch.setattr(rate_limit, "REDIS_SECONDS", 30.0)  # a busy machine is no Redis that is away
    settings = {"rate_limit": "50/hour", "redis_url": redis_server.url}
    apps = [create_app(settings_for(**settings), model=model, jobs=jobs) for _ in range(2)]
    async with AsyncExitStack() as stack:
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        clients = [await stack.enter_async_context(client_of(app)) for app in apps]
        answers = await asyncio.gather(*(ask(clients[n % 2]) for n in range(200)))
    assert Counter(answer.status_code for answer in answers) == {200: 50, 429: 150}


@pytest.mark.parametrize(
    ("setting", "value"), [("rate_limit", "many"), ("trusted_proxies", "nginx"), ("rate_limit", "0/minute")]
)
def test_a_wrong_setting_is_refused(setting: str, value: str) -> None:
    with pytest.raises(ValueError, match=setting):
        settings_for(**{setting: value})
