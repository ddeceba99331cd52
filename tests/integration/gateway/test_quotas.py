"""So many tokens a user and day, and so many requests a user: on every way to a model."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.core.ids import DEFAULT_USER_ID, UserId
from prodigon_lib.gateway import rate_limit
from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.tables import UserRow
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.persistence.usage import UsageRepository
from tests.fakes.authenticator import ADA, BOB, FakeAuthenticator
from tests.integration.gateway.conftest import settings_for
from tests.integration.gateway.fakes import USAGE, FakeJobs, FakeModel
from tests.integration.redis_server import RedisServer

USED = USAGE.total_tokens
GENERATE = {"prompt": "Hello", "model": "small", "max_tokens": 100}
OPENAI = {"model": "small", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 100}
JOB = {"prompts": ["Hello"] * 3, "max_tokens": 100}
OF_A_JOB = 3 * (100 + 2)


@pytest.fixture
async def usage(database: DatabaseUrl) -> AsyncIterator[UsageRepository]:
    pool = Database(database)
    async with pool.transaction() as db:
        await db.execute(insert(UserRow), [{"id": ADA, "name": "ada"}, {"id": BOB, "name": "bob"}])
    yield UsageRepository(pool)
    await pool.close()


@asynccontextmanager
async def gateways(
    database: DatabaseUrl, model: FakeModel, jobs: FakeJobs, many: int = 1, **settings: Any
) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(many):
            app = create_app(
                settings_for(database, **settings), model=model, jobs=jobs, authenticator=FakeAuthenticator()
            )
            await stack.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")
            clients.append(await stack.enter_async_context(client))
        yield clients


def of(user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {user}"}


async def take_turn(client: httpx.AsyncClient) -> httpx.Response:
    session = (await client.post("/api/v1/chat/sessions", headers=of("ada"))).json()["id"]
    asked = {"content": "Hello", "max_tokens": 100}
    return await client.post(f"/api/v1/chat/sessions/{session}/stream", json=asked, headers=of("ada"))


WAYS = {
    "whole": ("/api/v1/generate", GENERATE),
    "stream": ("/api/v1/generate/stream", GENERATE),
    "openai": ("/v1/chat/completions", OPENAI),
    "openai stream": ("/openai/v1/chat/completions", OPENAI | {"stream": True}),
}


async def ask(client: httpx.AsyncClient, way: str, user: str = "ada") -> httpx.Response:
    if way == "turn":
        return await take_turn(client)
    path, body = WAYS[way]
    return await client.post(path, json=body, headers=of(user))


@pytest.mark.parametrize("way", [*WAYS, "turn"])
async def test_each_way_pays_for_what_it_took(
    way: str, database: DatabaseUrl, usage: UsageRepository, model: FakeModel, jobs: FakeJobs
) -> None:
    async with gateways(database, model, jobs, token_quota=200) as (client,):
        assert (await ask(client, way)).status_code == 200
        assert await usage.today(ADA) == USED
        await usage.reserve(ADA, 100, 200)
        refused = await ask(client, way)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 86400
    assert refused.json()["error"]["code"].upper() == "QUOTA_EXCEEDED"
    assert await usage.today(ADA) == USED + 100
    assert len(model.asked) == 1


async def test_one_users_tokens_are_not_anothers(
    database: DatabaseUrl, usage: UsageRepository, model: FakeModel, jobs: FakeJobs
) -> None:
    await usage.reserve(ADA, 200, 200)
    async with gateways(database, model, jobs, token_quota=200) as (client,):
        assert (await ask(client, "whole")).status_code == 429
        assert (await ask(client, "whole", "bob")).status_code == 200


@pytest.mark.parametrize("way", [*WAYS, "turn"])
async def test_what_did_not_come_costs_nothing(
    way: str, database: DatabaseUrl, usage: UsageRepository, model: FakeModel, jobs: FakeJobs
) -> None:
    model.fault = UpstreamUnavailable("away")
    async with gateways(database, model, jobs, token_quota=1000) as (client,):
        assert (await ask(client, way)).status_code == 503
    assert await usage.today(ADA) == 0


async def test_a_stream_that_was_cut_costs_what_came(
    database: DatabaseUrl, usage: UsageRepository, model: FakeModel, jobs: FakeJobs
) -> None:
    model.fault, model.fault_after = UpstreamUnavailable("away"), 2
    async with gateways(database, model, jobs, token_quota=1000) as (client,):
        await ask(client, "stream")
    assert 2 < await usage.today(ADA) < 100


async def test_what_comes_from_the_cache_costs_nothing(
    database: DatabaseUrl, usage: UsageRepository, model: FakeModel, jobs: FakeJobs
) -> None:
    settings: dict[str, Any] = {"token_quota": 1000, "cache": "memory", "cache_any_temperature": True}
    async with gateways(database, model, jobs, **settings) as (client,):
        for _ in range(3):
            assert (await ask(client, "whole")).status_code == 200
    assert await usage.today(ADA) == USED


async def test_a_job_is_paid_for_when_it_is_submitted(
    database: DatabaseUrl, usage: UsageRepository, model: FakeModel, jobs: FakeJobs
) -> None:
    async with gateways(database, model, jobs, token_quota=OF_A_JOB + 1) as (client,):
        keyed = of("ada") | {"Idempotency-Key": "one"}
        first = await client.post("/api/v1/jobs", json=JOB, headers=keyed)
        assert await usage.today(ADA) == OF_A_JOB
        refused = await client.post("/api/v1/jobs", json=JOB, headers=of("ada"))
    assert (first.status_code, refused.status_code) == (202, 429)
    assert len(jobs.submitted) == 1


async def test_a_job_is_paid_for_once(
    database: DatabaseUrl, usage: UsageRepository, model: FakeModel, jobs: FakeJobs
) -> None:
    """Neither the same again nor one that was refused costs anything."""
    async with gateways(database, model, jobs, token_quota=10 * OF_A_JOB) as (client,):
        keyed = of("ada") | {"Idempotency-Key": "one"}
        for _ in range(3):
            assert (await client.post("/api/v1/jobs", json=JOB, headers=keyed)).status_code == 202
        jobs.fault = UpstreamUnavailable("away")
        assert (await client.post("/api/v1/jobs", json=JOB, headers=of("ada"))).status_code == 503
    assert await usage.today(ADA) == OF_A_JOB


async def test_two_gateways_let_exactly_the_quota_in(
    database: DatabaseUrl, usage: UsageRepository, model: FakeModel, jobs: FakeJobs
) -> None:
    """Nothing is given back meanwhile: the jobs stay as they are submitted."""
    one = {"prompts": ["Hello"], "max_tokens": 100}
    async with gateways(database, model, jobs, 2, token_quota=20 * 102 + 50) as clients:
        asking = [clients[n % 2].post("/api/v1/jobs", json=one, headers=of("ada")) for n in range(60)]
        answers = await asyncio.gather(*asking)
    assert Counter(answer.status_code for answer in answers) == {202: 20, 429: 40}
    assert await usage.today(ADA) == 20 * 102


async def test_without_accounts_it_is_the_default_users(
    database: DatabaseUrl, usage: UsageRepository, model: FakeModel, jobs: FakeJobs
) -> None:
    app = create_app(settings_for(database, token_quota=1000), model=model, jobs=jobs)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        await client.post("/api/v1/generate", json=GENERATE)
    assert await usage.today(UserId(DEFAULT_USER_ID)) == USED


def test_a_quota_needs_a_database() -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        settings_for(token_quota=5)


async def test_two_gateways_let_exactly_a_users_requests_in(
    database: DatabaseUrl,
    model: FakeModel,
    jobs: FakeJobs,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a login and a key, which count together; another user is not kept out."""
    monkeypatch.setattr(rate_limit, "REDIS_SECONDS", 30.0)  # a busy machine is no Redis that is away
    settings: dict[str, Any] = {"user_rate_limit": "30/hour", "redis_url": redis_server.url}
    async with gateways(database, model, jobs, 2, **settings) as clients:
        asking = [
            clients[n % 2].get("/api/v1/jobs", headers=of(("ada", "pdg_jobs")[n // 2 % 2]))
            for n in range(100)
        ]
        answers = await asyncio.gather(*asking)
        another = await clients[0].get("/api/v1/jobs", headers=of("bob"))
    assert Counter(answer.status_code for answer in answers) == {200: 30, 429: 70}
    assert another.status_code == 200
    assert another.headers["ratelimit-policy"] == '"principal";q=30;w=3600'


async def test_who_is_not_known_uses_up_nobodys_requests(
    database: DatabaseUrl, model: FakeModel, jobs: FakeJobs
) -> None:
    async with gateways(database, model, jobs, user_rate_limit="1/hour") as (client,):
        statuses = [
            (await client.get("/api/v1/jobs", headers=of(who))).status_code
            for who in ("nobody", "nobody", "ada", "ada")
        ]
    assert statuses == [401, 401, 200, 429]
