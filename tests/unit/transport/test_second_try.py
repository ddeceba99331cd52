"""A call over HTTP whose connection broke: what a second try mends is nobody's failure."""

from typing import Any

import pytest

from prodigon_lib.core.errors import UpstreamError, UpstreamUnavailable
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.connections.faults import ConnectionBroke
from prodigon_lib.transport.http import ServiceClient


class Answer:
    status = 200

    async def read(self) -> bytes:
        return b"{}"

    def release(self) -> None: ...


class Pool:
    """Its connections break under every other call, or under every one, before the answer."""

    def __init__(self, *, always: bool) -> None:
        self.always, self.asked = always, 0

    async def ask(self, *_: Any, **__: Any) -> Answer:
        self.asked += 1
        if self.always or self.asked % 2:
            raise ConnectionBroke
        return Answer()


def client_on(pool: Pool) -> ServiceClient:
    telemetry = Telemetry("test", Settings(_env_file=None))
    wary = Resilience(failures=3, rest=60, retry_percent=100)
    client = ServiceClient("model", ("http://127.0.0.1:1",), telemetry, resilience=wary)
    client._pool = pool
    return client


async def test_connections_that_were_closed_while_idle_open_no_breaker() -> None:
    pool = Pool(always=False)
    client = client_on(pool)
    for _ in range(10):
        assert await client.request("POST", "/inference", retry=True) == b"{}"
    assert pool.asked == 20


async def test_a_service_that_breaks_each_of_them_is_left_alone() -> None:
    pool = Pool(always=True)
    client = client_on(pool)
    for _ in range(3):
        with pytest.raises(UpstreamError):
            await client.request("POST", "/inference", retry=True)
    with pytest.raises(UpstreamUnavailable, match="left alone"):
        await client.request("POST", "/inference", retry=True)
    assert pool.asked == 6
