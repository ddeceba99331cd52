"""A call over HTTP whose connection broke: what a second try mends is nobody's failure."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import pytest

from prodigon_lib.core.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.connections.faults import ConnectionBroke, StaleConnection
from prodigon_lib.transport.http import ServiceClient, Timeouts
from prodigon_lib.transport.metrics import UpstreamMetrics


class Answer:
    status = 200

    async def read(self) -> bytes:
        return b"{}"

    def release(self) -> None: ...


class Pool:
    """Its idle connections end as they are used; with `always`, new ones break before the answer as well."""

    def __init__(self, *, always: bool = False) -> None:
        self.always = always
        self.asked: list[bool] = []

    async def ask(self, *_: Any, fresh: bool, **__: Any) -> Answer:
        self.asked.append(fresh)
        if not fresh:
            raise StaleConnection
        if self.always:
            raise ConnectionBroke
        return Answer()


def client_on(pool: Pool, *, retry_percent: int = 0, metrics: Metrics | None = None) -> ServiceClient:
    telemetry = Telemetry("test", Settings(_env_file=None))
    wary = Resilience(failures=3, rest=60, retry_percent=retry_percent)
    counted = UpstreamMetrics(metrics or Metrics("test"))
    client = ServiceClient("model", ("http://127.0.0.1:1",), telemetry, resilience=wary, metrics=counted)
    client._pool = pool
    return client


async def test_connections_that_were_closed_while_idle_need_no_budget_and_open_no_breaker() -> None:
    pool, metrics = Pool(), Metrics("test")
    client = client_on(pool, metrics=metrics)
    for _ in range(10):
        assert await client.request("POST", "/inference", retry=True) == b"{}"
    assert pool.asked == [False, True] * 10
    assert metrics.registry.get_sample_value("prodigon_upstream_retries_total", {"upstream": "model"}) == 10


async def test_nor_where_the_call_may_not_be_made_twice() -> None:
    pool = Pool()
    client = client_on(pool, retry_percent=100)
    for _ in range(10):
        with pytest.raises(UpstreamError):
            await client.request("POST", "/jobs")
    assert pool.asked == [False] * 10


async def test_a_service_that_breaks_new_ones_too_is_left_alone() -> None:
    pool = Pool(always=True)
    client = client_on(pool, retry_percent=100)
    for _ in range(3):
        with pytest.raises(UpstreamError):
            await client.request("POST", "/inference", retry=True)
    with pytest.raises(UpstreamUnavailable, match="left alone"):
        await client.request("POST", "/inference", retry=True)
    assert pool.asked == [False, True] * 3


def test_a_client_that_is_opened_on_another_loop_keeps_its_limits() -> None:
    """The first loop ended while its timer ran."""
    telemetry = Telemetry("test", Settings(_env_file=None))

    async def leave(client: ServiceClient) -> None:
        await client.open()
        call = asyncio.create_task(client.request("GET", "/"))
        await asyncio.sleep(0.05)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        await client.close()

    async def ask(client: ServiceClient) -> None:
        await client.open()
        with pytest.raises(UpstreamTimeout):
            await asyncio.wait_for(client.request("GET", "/"), 20)
        await client.close()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = ServiceClient("model", (url,), telemetry, Timeouts(whole=0.5))
        asyncio.run(leave(client))
        asyncio.run(ask(client))
