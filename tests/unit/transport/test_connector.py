"""Connections to one address take turns; the base class, which would open them, is played by the test."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from yarl import URL

from prodigon_lib.transport.connector import AT_ONCE, PatientConnector

TIMEOUT = aiohttp.ClientTimeout()


LIMIT = 0.05


@dataclass(eq=False)
class Made:
    """A connection."""

    closed: bool = False

    def close(self) -> None:
        self.closed = True


@dataclass
class Service:
    """Takes a connection once `open` is set; refuses it then, when `refuses`."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    refuses: bool = False
    waiting: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    made: list["Made"] = field(default_factory=list)
    on_made: Callable[[], object] = lambda: None

    async def connect(self, _: Any, request: Any, *__: Any) -> "Made":
        self.asked += 1
        self.waiting[request.url.host] += 1
        try:
            await self.open.wait()
            for _ in range(3):  # a connection is heard of, then made, then handed over
                await asyncio.sleep(0)
        finally:
            self.waiting[request.url.host] -= 1
        if self.refuses:
            raise aiohttp.ConnectionTimeoutError
        self.made.append(Made())
        self.on_made()
        return self.made[-1]


@dataclass
class Request:
    url: URL


def to(host: str) -> Any:
    return Request(URL(f"http://{host}:80"))


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()

    async def connect(connector: Any, request: Any, *rest: Any) -> Made:
        return await service.connect(connector, request, *rest)

    monkeypatch.setattr(aiohttp.TCPConnector, "_create_connection", connect)
    return service


@pytest.fixture
async def connector() -> AsyncIterator[PatientConnector]:
    connector = PatientConnector(limit=1000, keepalive_timeout=4, connect_seconds=LIMIT)
    yield connector
    await connector.close()


def begin(connector: PatientConnector, host: str, count: int) -> list[asyncio.Task[Any]]:
    return [
        asyncio.create_task(connector._create_connection(to(host), [], TIMEOUT))  # what aiohttp calls
        for _ in range(count)
    ]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_they_take_turns_and_all_get_in(service: Service, connector: PatientConnector) -> None:
    tasks = begin(connector, "one", 3 * AT_ONCE)
    await settle()
    assert service.waiting["one"] == AT_ONCE
    service.open.set()
    assert set(await asyncio.gather(*tasks)) == set(service.made)
    assert len(service.made) == 3 * AT_ONCE


async def test_an_address_that_hangs_holds_up_no_other(service: Service, connector: PatientConnector) -> None:
    tasks = begin(connector, "one", 2 * AT_ONCE) + begin(connector, "other", 1)
    await settle()
    assert service.waiting["other"] == 1
    service.open.set()
    await asyncio.gather(*tasks)


async def test_what_hangs_is_given_up(service: Service, connector: PatientConnector) -> None:
    (task,) = begin(connector, "one", 1)
    with pytest.raises(aiohttp.ConnectionTimeoutError, match="in time"):
        await asyncio.wait_for(task, 10)
    assert service.waiting["one"] == 0


async def test_where_nobody_gets_in_who_waits_is_told_soon(
    service: Service, connector: PatientConnector
) -> None:
    errors = await asyncio.gather(*begin(connector, "one", 10 * AT_ONCE), return_exceptions=True)
    assert all(isinstance(error, aiohttp.ConnectionTimeoutError) for error in errors)
    assert service.asked <= 2 * AT_ONCE  # the last of the first ones make room for some before they fail


async def test_one_that_is_given_up_turns_nobody_else_away(
    service: Service, connector: PatientConnector
) -> None:
    tasks = begin(connector, "one", 2 * AT_ONCE)
    await settle()
    tasks[0].cancel()
    service.open.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert set(ended[1:]) == set(service.made)
    assert len(service.made) == 2 * AT_ONCE - 1


async def test_a_loop_that_is_busy_beyond_the_limit_still_hears_of_it(
    service: Service, connector: PatientConnector
) -> None:
    """The connection was there in time; the loop was elsewhere until after the timer was due."""
    (task,) = begin(connector, "one", 1)
    await settle()
    service.open.set()
    blocked_until = time.monotonic() + 4 * LIMIT
    while time.monotonic() < blocked_until:
        pass
    assert [await task] == service.made


async def test_who_comes_later_tries_anew(service: Service, connector: PatientConnector) -> None:
    service.refuses = True
    service.open.set()
    await asyncio.gather(*begin(connector, "one", 2 * AT_ONCE), return_exceptions=True)
    service.refuses = False
    assert await asyncio.gather(*begin(connector, "one", 1)) == service.made[-1:]


async def test_aiohttp_still_connects_by_way_of_it(service: Service, connector: PatientConnector) -> None:
    """It overrides what is not quite public; a new aiohttp that calls something else must fail here."""
    service.refuses = True
    service.open.set()
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ConnectionTimeoutError):
            await session.get("http://127.0.0.1:9/", timeout=TIMEOUT)
    assert service.asked == 1


async def test_one_that_is_made_in_the_moment_it_is_given_up_is_closed(
    service: Service, connector: PatientConnector
) -> None:
    """A busy loop hears of a connection and of the end of its caller's time in the same turn."""
    (task,) = begin(connector, "one", 1)
    service.on_made = task.cancel
    service.open.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await settle()
    assert [connection.closed for connection in service.made] == [True]
