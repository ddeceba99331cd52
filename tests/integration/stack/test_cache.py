"""Two gateways that share a cache in Redis: one call for all, every request answered whatever Redis does."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from prodigon_lib import Stack
from tests.conftest import SETTINGS
from tests.integration.nginx_program import needs_nginx
from tests.integration.redis_server import needs_redis
from tests.polling import eventually_sync

ASKED = {"prompt": "What is a cache?", "temperature": 0}


@pytest.fixture(scope="module")
def cached(stack_home: Path) -> Iterator[Stack]:
    needs_redis()
    needs_nginx()
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        patch.setenv("PRODIGON_HOME", str(stack_home))
        running = Stack.start(
            "cached", replicas={"gateway": 2}, cache="redis", faults=True, profile="instant"
        )
    yield running
    running.stop(force=True)


def ask(stack: Stack, count: int, *, same: bool = False) -> Counter[str]:
    """How many answers of each kind, at most 20 in flight; a request that fails ends the test."""
    names = iter(range(count))

    async def caller(client: httpx.AsyncClient, seen: Counter[str]) -> None:
        for number in names:
            asked = ASKED if same else {**ASKED, "prompt": f"What is a cache? ({number})"}
            answer = await client.post(f"{stack.url}/api/v1/generate", json=asked)
            answer.raise_for_status()
            seen[answer.headers["Cache-Status"].removeprefix("prodigon; ")] += 1

    async def run() -> Counter[str]:
        seen: Counter[str] = Counter()
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            await asyncio.gather(*(caller(client, seen) for _ in range(20)))
        return seen

    return asyncio.run(run())


def test_redis_is_a_part_like_the_others(cached: Stack) -> None:
    status = cached.status()
    assert status.healthy
    assert status.part("redis").pid is not None
    assert cached.redis_url is not None
    with Redis.from_url(cached.redis_url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
    assert {"gateway→redis", "worker→redis"} == {
        edge.name for edge in cached.faults if edge.name.endswith("→redis")
    }


def test_a_hundred_at_once_reach_the_model_once(cached: Stack) -> None:
    seen = ask(cached, 100, same=True)
    assert seen["fwd=miss; stored"] == 1
    assert seen["hit"] + seen["fwd=miss; collapsed"] == 99


def test_a_kept_answer_outlives_the_gateway_and_redis(cached: Stack) -> None:
    ask(cached, 1, same=True)
    for name in ("gateway", "gateway-2", "redis"):
        cached.restart_service(name)
    assert ask(cached, 1, same=True) == {"hit": 1}


def test_redis_killed_fails_no_request_and_comes_back(cached: Stack) -> None:
    restarts = cached.status().part("redis").restarts
    cached.kill("redis")
    assert sum(ask(cached, 200).values()) == 200
    eventually_sync(lambda: cached.status().part("redis").restarts == restarts + 1, within=20)
    eventually_sync(lambda: ask(cached, 1, same=True) == {"hit": 1}, within=20)


@pytest.mark.parametrize(
    "fault", [{"black_hole": True}, {"latency": 1.0}, {"refuse": True}, {"cut_after": 3}]
)
def test_a_bad_way_to_redis_fails_no_request(fault: dict[str, object], cached: Stack) -> None:
    with cached.faults["gateway→redis"].set(**fault):
        assert sum(ask(cached, 200).values()) == 200
    eventually_sync(lambda: ask(cached, 1, same=True) == {"hit": 1}, within=20)


def test_redis_paused_fails_no_request(cached: Stack) -> None:
    cached.pause("redis")
    try:
        assert sum(ask(cached, 200).values()) == 200
        for name in ("gateway", "gateway-2"):
            figures = httpx.get(f"{cached.urls[name]}/metrics", trust_env=False).text
            assert "prodigon_cache_away 1.0" in figures
    finally:
        cached.resume("redis")
    eventually_sync(lambda: ask(cached, 1, same=True) == {"hit": 1}, within=20)
