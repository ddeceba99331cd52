"""A call over HTTP whose connection broke: what a second try mends is nobody's failure."""

from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from prodigon_lib.core.errors import UpstreamError, UpstreamUnavailable
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.http import ServiceClient


class Answer:
    status, headers = 200, SimpleNamespace(get=lambda name, default="": default)

    async def __aenter__(self) -> "Answer":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def read(self) -> bytes:
        return b"{}"


class Session:
    """Breaks every other call, or every one, before its answer."""

    def __init__(self, *, always: bool) -> None:
        self.always, self.asked = always, 0

    async def request(self, *_: Any, **__: Any) -> Answer:
        self.asked += 1
        if self.always or self.asked % 2:
            raise aiohttp.ServerDisconnectedError
        return Answer()


def client_on(session: Session) -> ServiceClient:
    telemetry = Telemetry("test", Settings(_env_file=None))
    wary = Resilience(failures=3, rest=60, retry_percent=100)
    client = ServiceClient("model", ("http://127.0.0.1:1",), telemetry, resilience=wary)
    client._session = session
    return client


async def test_connections_that_were_closed_while_idle_open_no_breaker() -> None:
    session = Session(always=False)
    client = client_on(session)
    for _ in range(10):
        assert await client.request("POST", "/inference", retry=True) == b"{}"
    assert session.asked == 20


async def test_a_service_that_breaks_each_of_them_is_left_alone() -> None:
    session = Session(always=True)
    client = client_on(session)
    for _ in range(3):
        with pytest.raises(UpstreamError):
            await client.request("POST", "/inference", retry=True)
    with pytest.raises(UpstreamUnavailable, match="left alone"):
        await client.request("POST", "/inference", retry=True)
    assert session.asked == 6
