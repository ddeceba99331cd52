"""What goes through nginx, what it does when a replica fails, and what it tells the services."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from prodigon_lib.stack.logs import parse
from prodigon_lib.stack.nginx.balance import Balance, Policy
from prodigon_lib.stack.nginx.binary import version
from prodigon_lib.stack.nginx.config import KEEPS_IDLE_SINCE
from tests.integration.nginx.conftest import NAMES, balanced
from tests.polling import eventually

REQUESTS, IN_FLIGHT = 1000, 50
SOON = dict.fromkeys(NAMES, 0.02)
"""How long each takes for an answer, in seconds."""
HOLDING = SOON | {"model-2": 0.2}
"""So long that it holds requests at any moment, also where the callers are what is slow."""


async def load(url: str, *, count: int, at_once: int, during: object = None) -> Counter[int]:
    """POST so many requests; the statuses, 0 for a broken connection. `during` is called after a third."""
    statuses: Counter[int] = Counter()
    ids = iter([f"{url.rpartition('/')[2]}-{uuid4().hex}" for _ in range(count)])

    async def one_after_the_other(session: aiohttp.ClientSession) -> None:
        for request_id in ids:
            headers = {"X-Request-ID": request_id}
            try:
                async with session.post(url, json={"prompt": request_id}, headers=headers) as response:
                    await response.read()
                    statuses[response.status] += 1
            except aiohttp.ClientError:
                statuses[0] += 1

    async def interrupt() -> None:
        await eventually(lambda: statuses.total() >= count // 3, within=60)
        await asyncio.to_thread(during)  # type: ignore[arg-type]

    async with aiohttp.ClientSession() as session:
        callers = [one_after_the_other(session) for _ in range(at_once)]
        await asyncio.gather(*callers, *([interrupt()] if during else []))
    return statuses


async def post(url: str, headers: dict[str, str]) -> bytes:
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json={}) as response:
        return await response.read()


async def test_a_replica_killed_under_load_fails_no_completion(either: Path) -> None:
    with balanced(either, Balance(), HOLDING) as nginx:
        dead = nginx.replicas["model-2"]
        statuses = await load(f"{nginx.model}/inference", count=REQUESTS, at_once=IN_FLIGHT, during=dead.kill)
        assert statuses == {200: REQUESTS}
        received = nginx.received()
        assert len(received) == REQUESTS
        repeated = {request for request, times in received.items() if times > 1}
        assert repeated <= set(dead.received)  # asked for again only where the first was broken off
        assert 0 < len(repeated) <= IN_FLIGHT
        assert max(received.values()) == 2


async def test_what_must_not_be_repeated_is_sent_once(program: Path) -> None:
    with balanced(program, Balance(), HOLDING) as nginx:
        dead = nginx.replicas["model-2"]
        url = f"{nginx.gateway}/api/v1/jobs"
        statuses = await load(url, count=REQUESTS, at_once=IN_FLIGHT, during=dead.kill)
        received = nginx.received()
        assert max(received.values()) == 1
        assert set(statuses) == {200, 502}  # those that the dead one had taken in are told so
        assert statuses[502] <= IN_FLIGHT
        assert len(received) >= statuses[200]


async def test_a_drained_replica_gets_nothing_more_and_loses_nothing(either: Path) -> None:
    with balanced(either, Balance(), SOON) as nginx:
        leaving = nginx.replicas["model-3"]

        def drain() -> None:
            nginx.reload(Balance(drained=frozenset(["model-3"])))

        statuses = await load(f"{nginx.model}/inference", count=600, at_once=20, during=drain)
        if version(either) >= KEEPS_IDLE_SINCE:
            assert statuses == {200: 600}
        else:  # it closed idle connections just as they were used, and took nothing in through them
            assert statuses[0] <= 20
            assert statuses[200] == 600 - statuses[0] == nginx.received().total()
        before = leaving.received.total()
        assert before > 0
        assert await load(f"{nginx.model}/inference", count=60, at_once=10) == {200: 60}
        assert leaving.received.total() == before


@pytest.mark.parametrize("policy", [Policy.ROUND_ROBIN, Policy.LEAST_CONNECTIONS])
async def test_weights_are_kept(program: Path, policy: Policy) -> None:
    with balanced(program, Balance(policy, {"model": 4})) as nginx:
        await load(f"{nginx.model}/inference", count=120, at_once=1)
        assert nginx.shares() == {"model": 80, "model-2": 20, "model-3": 20}


@pytest.mark.parametrize("policy", [Policy.LEAST_CONNECTIONS, Policy.TWO_CHOICES])
async def test_a_slow_replica_gets_less_than_its_turn(program: Path, policy: Policy) -> None:
    with balanced(program, Balance(policy), {"model": 0.01, "model-2": 0.01, "model-3": 0.1}) as nginx:
        await load(f"{nginx.model}/inference", count=400, at_once=12)
        shares = nginx.shares()
        assert shares["model-3"] < 400 / 3 / 1.5
        assert min(shares.values()) > 0


async def test_the_same_body_goes_to_the_same_replica(program: Path) -> None:
    with balanced(program, Balance(Policy.HASH)) as nginx:
        ports: dict[int, set[int]] = {}
        async with aiohttp.ClientSession() as session:
            for number in range(60):
                async with session.post(f"{nginx.model}/inference", json={"prompt": number % 12}) as response:
                    ports.setdefault(number % 12, set()).add((await response.json())["port"])
        assert {len(seen) for seen in ports.values()} == {1}
        assert len(set.union(*ports.values())) > 1


async def test_a_stream_is_not_held_back(program: Path) -> None:
    with balanced(program, Balance()) as nginx:
        async with aiohttp.ClientSession() as session:
            began = time.perf_counter()
            async with session.post(f"{nginx.model}/inference/stream", json={}) as response:
                assert response.headers["X-Accel-Buffering"] == "no"
                assert await response.content.readline() == b"data: 0\n"
                first = time.perf_counter() - began
                assert (await response.read()).endswith(b"data: 9\n\n")
        assert first < (time.perf_counter() - began) / 2


async def test_a_client_can_not_forge_who_it_is(program: Path) -> None:
    with balanced(program, Balance()) as nginx:
        address = dict.fromkeys(("X-Forwarded-For", "X-Real-IP"), "203.0.113.7")
        forged = {**address, "Forwarded": "for=203.0.113.7", "X-Forwarded-Proto": "https"}
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        headers = {**forged, "X-Forwarded-Host": "other", "X-Request-ID": 'a"b', "traceparent": trace}
        told = json.loads(await post(f"{nginx.gateway}/api/v1/generate", headers))["told"]
        (request_id,) = told.pop("X-Request-ID")
        assert request_id.isalnum()
        own = nginx.gateway.removeprefix("http://")
        assert told == {
            "Host": [own],
            "X-Forwarded-For": ["127.0.0.1"],
            "X-Forwarded-Proto": ["http"],
            "X-Forwarded-Host": [own],
            "X-Real-IP": ["127.0.0.1"],
            "Forwarded": [],
            "traceparent": [trace],
        }


async def test_nginx_answers_with_the_envelope(program: Path) -> None:
    with balanced(program, Balance(), body="1000") as nginx:
        async with aiohttp.ClientSession(headers={"X-Request-ID": 'a"b'}) as session:
            async with session.post(f"{nginx.gateway}/api/v1/jobs", data=b"x" * 1001) as response:
                assert response.status == 413
                error = (await response.json())["error"]
                assert error["code"] == "PAYLOAD_TOO_LARGE"
                assert error["request_id"] == response.headers["X-Request-ID"] != 'a"b'
            for replica in nginx.replicas.values():
                replica.kill()
            async with session.post(f"{nginx.gateway}/api/v1/jobs", json={}) as response:
                assert response.status == 503
                assert response.headers["Retry-After"] == "1"
                assert (await response.json())["error"]["code"] == "SERVICE_UNAVAILABLE"


async def test_each_request_is_a_record(either: Path) -> None:
    with balanced(either, Balance()) as nginx:
        await post(f"{nginx.model}/inference?secret=1", {"X-Request-ID": "one"})
        line = await eventually(lambda: nginx.log.read_text().strip())
        record = parse(line.splitlines()[-1], "nginx", "")
        ports = [replica.port for replica in nginx.replicas.values()]
        assert record["request_id"] == "one"
        assert (record["status"], record["path"], record["level"]) == (200, "/inference", "info")
        assert record["to"] in {f"127.0.0.1:{port}" for port in ports}
        assert record["duration_ms"] >= 0
        assert record["timestamp"].endswith("Z")
        assert len(record["timestamp"]) == len("2026-01-01T00:00:00.000Z")
        assert json.loads(line)["service"] == "nginx"
