"""The gateway with a cache: which requests share an answer, what the answer says of it, what is counted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import openai
import pytest

from prodigon_lib.core.errors import SettingsError, UpstreamError
from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.settings import GatewaySettings
from tests.integration.gateway.conftest import client_of, settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.redis_server import RedisServer
from tests.integration.serving import serving
from tests.polling import eventually

PATH, SDK_PATH = "/api/v1/generate", "/v1/chat/completions"
COLD = {"prompt": "Hello", "model": "small", "temperature": 0}
WARM = {**COLD, "temperature": 0.7}
HIT, MISS, STORED = "prodigon; hit", "prodigon; fwd=miss", "prodigon; fwd=miss; stored"


class HeldModel(FakeModel):
    """Answers once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()

    async def forward(self, body: bytes) -> bytes:
        answer = await super().forward(body)
        await self.let.wait()
        return answer


@asynccontextmanager
async def gateway(model: FakeModel, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    settings = {"cache": "memory", "default_model": "small", **settings}
    app = create_app(settings_for(None, **settings), model=model, jobs=FakeJobs())
    async with serving(app) as url, client_of(url) as client:
        yield client


@pytest.fixture
async def cached(model: FakeModel) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway(model) as client:
        yield client


async def status_of(client: httpx.AsyncClient, asked: dict[str, Any], control: str | None = None) -> str:
    headers = {} if control is None else {"Cache-Control": control}
    answer = await client.post(PATH, json=asked, headers=headers)
    assert answer.status_code == 200
    return str(answer.headers["Cache-Status"])


async def test_the_second_answer_is_the_first(cached: httpx.AsyncClient, model: FakeModel) -> None:
    first = await cached.post(PATH, json=COLD)
    second = await cached.post(PATH, json=COLD)
    assert (first.headers["Cache-Status"], second.headers["Cache-Status"]) == (STORED, HIT)
    assert "Age" not in first.headers
    assert second.headers["Age"] == "0"
    assert first.content == second.content
    assert len(model.asked) == 1


async def test_a_warm_answer_is_shared_only_where_that_is_asked_for(
    cached: httpx.AsyncClient, model: FakeModel
) -> None:
    for _ in range(2):
        assert await status_of(cached, WARM) == "prodigon; fwd=bypass"
    assert await status_of(cached, WARM, "max-age=60") == STORED
    assert await status_of(cached, WARM, "max-age=60") == HIT
    assert await status_of(cached, WARM) == "prodigon; fwd=bypass"
    async with gateway(model, cache_any_temperature=True) as willing:
        assert [await status_of(willing, WARM) for _ in range(2)] == [STORED, HIT]


async def test_a_request_may_ask_anew_or_leave_the_cache_out(cached: httpx.AsyncClient) -> None:
    assert await status_of(cached, COLD, "no-store") == "prodigon; fwd=bypass"
    assert await status_of(cached, COLD) == STORED
    assert await status_of(cached, COLD, "no-cache") == "prodigon; fwd=request; stored"


async def test_both_doors_share_an_answer(cached: httpx.AsyncClient, model: FakeModel) -> None:
    asked = {
        "model": "small",
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 0,
        "max_tokens": 1024,
    }
    first = await cached.post(SDK_PATH, json=asked)
    second = await cached.post(PATH, json=COLD)
    assert (first.headers["Cache-Status"], second.headers["Cache-Status"]) == (STORED, HIT)
    assert first.json()["choices"][0]["message"]["content"] == second.json()["text"]
    again = await cached.post(SDK_PATH, json=asked)
    assert again.json()["id"] != first.json()["id"]
    assert len(model.asked) == 1


async def test_the_official_sdk_is_answered_from_the_cache(cached: httpx.AsyncClient) -> None:
    async with openai.AsyncOpenAI(base_url=f"{cached.base_url}/v1", api_key="any", max_retries=0) as sdk:
        ask = sdk.chat.completions.with_raw_response.create
        said = [
            (await ask(model="small", temperature=0, messages=[{"role": "user", "content": "Hello"}]))
            for _ in range(2)
        ]
    assert [answer.headers["Cache-Status"] for answer in said] == [STORED, HIT]
    assert len({answer.parse().choices[0].message.content for answer in said}) == 1


async def test_streams_pass_by(cached: httpx.AsyncClient, model: FakeModel) -> None:
    for _ in range(2):
        answer = await cached.post(f"{PATH}/stream", json=COLD)
        assert "Cache-Status" not in answer.headers
    assert len(model.asked) == 2


async def test_a_fault_is_not_kept(cached: httpx.AsyncClient, model: FakeModel) -> None:
    model.fault = UpstreamError("it broke")
    assert (await cached.post(PATH, json=COLD)).status_code == 502
    model.fault = None
    assert await status_of(cached, COLD) == STORED


async def test_what_the_fallback_said_does_not_outlast_the_trouble(model: FakeModel) -> None:
    async with gateway(model, default_model="large") as client:  # the fake answers as `small`
        asked = {name: value for name, value in COLD.items() if name != "model"}
        assert [await status_of(client, asked) for _ in range(2)] == [MISS, MISS]
        assert await status_of(client, {**asked, "model": "provider:small"}) == STORED


async def test_another_version_leaves_the_old_answers_behind(
    redis_server: RedisServer, model: FakeModel
) -> None:
    shared = {"cache": "redis", "redis_url": redis_server.url}
    async with gateway(model, **shared) as old, gateway(model, **shared, cache_version="2") as new:
        assert await status_of(old, COLD) == STORED
        assert await status_of(new, COLD) == STORED
        assert await status_of(old, COLD) == HIT


@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_a_hundred_at_once_reach_the_model_once(kind: str, redis_server: RedisServer) -> None:
    """With Redis over two gateways that share nothing else."""
    model = HeldModel()
    settings = {"cache": kind, "redis_url": redis_server.url, "cache_redis_seconds": 5}
    async with AsyncExitStack() as stack:
        gateways = [
            await stack.enter_async_context(gateway(model, **settings))
            for _ in range(2 if kind == "redis" else 1)
        ]
        asking = [
            asyncio.create_task(status_of(gateways[number % len(gateways)], COLD)) for number in range(100)
        ]
        await eventually(lambda: model.asked)
        for client in gateways:
            share = 100 // len(gateways)
            await eventually(lambda client=client, share=share: in_flight(client, share))
        model.let.set()
        said = Counter(await asyncio.gather(*asking))
    assert said == {STORED: 1, f"{MISS}; collapsed": 99}
    assert len(model.asked) == 1


async def in_flight(client: httpx.AsyncClient, wanted: int) -> bool:
    """Asked by another client: that one's connections may all be taken."""
    async with client_of(str(client.base_url)) as other:
        figures = (await other.get("/metrics")).text
    line = next(line for line in figures.splitlines() if line.startswith("prodigon_http_requests_in_flight"))
    return float(line.rpartition(" ")[2]) > wanted


async def test_what_is_counted(cached: httpx.AsyncClient) -> None:
    for control in (None, None, "no-cache", "no-store"):
        await status_of(cached, COLD, control)
    figures = (await cached.get("/metrics")).text
    for outcome in ("hit", "miss", "refreshed", "bypassed"):
        assert f'prodigon_cache_answers_total{{outcome="{outcome}"}} 1.0' in figures
    assert "prodigon_cache_entries 1.0" in figures


async def test_without_a_cache_nothing_says_that_there_is_one(direct: httpx.AsyncClient) -> None:
    answer = await direct.post(PATH, json=COLD)
    assert "Cache-Status" not in answer.headers
    assert "prodigon_cache" not in (await direct.get("/metrics")).text


async def test_a_caller_that_leaves_takes_nobody_along() -> None:
    model = HeldModel()
    async with gateway(model) as client:
        leaving = asyncio.create_task(client.post(PATH, json=COLD))
        await eventually(lambda: model.asked)
        staying = asyncio.create_task(status_of(client, COLD))
        await eventually(lambda: in_flight(client, 2))
        leaving.cancel()
        await asyncio.wait({leaving})
        await eventually(lambda: in_flight_is(client, 2))  # this look at the figures, and who stays
        model.let.set()
        assert await staying == f"{MISS}; collapsed"
    assert len(model.asked) == 1


async def in_flight_is(client: httpx.AsyncClient, wanted: int) -> bool:
    return await in_flight(client, wanted - 1) and not await in_flight(client, wanted)


def test_a_shared_cache_needs_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE", "redis")
    with pytest.raises(SettingsError, match="REDIS_URL"):
        load_settings(GatewaySettings)
