"""A name is looked up once for all who ask meanwhile, and an address not at all."""

import asyncio
import gc
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from prodigon_lib.transport.connections import dial, names
from prodigon_lib.transport.connections.connection import Connection
from prodigon_lib.transport.connections.names import Name
from prodigon_lib.transport.connections.origin import origin_of

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]


@dataclass
class Lookups:
    """Those that were made; each ends when `open` is set, with a fault where there is one."""

    asked: list[str] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception | None = None

    async def __call__(self, host: str, *_: Any, **__: Any) -> Any:
        self.asked.append(host)
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        return FOUND


@pytest.fixture
async def lookups(monkeypatch: pytest.MonkeyPatch) -> Lookups:
    made = Lookups()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", made)
    return made


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("host", "family", "place"),
    [
        ("192.0.2.1", socket.AF_INET, ("192.0.2.1", 80)),
        ("2001:db8::1", socket.AF_INET6, ("2001:db8::1", 80, 0, 0)),
    ],
)
async def test_an_address_is_not_looked_up(host: str, family: int, place: Any, lookups: Lookups) -> None:
    name = Name(host, 80)
    name.forget()
    ((found, kind, _, _, where),) = await name.addresses()
    assert (found, kind, where) == (family, socket.SOCK_STREAM, place)
    assert not lookups.asked


async def test_an_address_of_one_link_is(lookups: Lookups) -> None:
    lookups.open.set()
    assert await Name("fe80::1%eth0", 80).addresses() == FOUND
    assert lookups.asked == ["fe80::1%eth0"]


async def test_who_asks_meanwhile_waits_for_the_same_lookup(lookups: Lookups) -> None:
    name = Name("model", 80)
    asking = [asyncio.create_task(name.addresses()) for _ in range(5)]
    await settle()
    asking[0].cancel()
    await settle()
    lookups.open.set()
    assert await asyncio.gather(*asking[1:]) == [FOUND] * 4
    assert await name.addresses() == FOUND
    assert lookups.asked == ["model"]


@pytest.mark.parametrize("how", ["forgotten", "old"])
async def test_it_is_asked_for_again(how: str, lookups: Lookups, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "KEPT", 60.0 if how == "forgotten" else 0.0)
    lookups.open.set()
    name = Name("model", 80)
    await name.addresses()
    if how == "forgotten":
        name.forget()
    await name.addresses()
    assert lookups.asked == ["model"] * 2


@pytest.mark.parametrize("fault", [socket.gaierror("no such name"), UnicodeError("label too long")])
async def test_no_such_name(fault: Exception, lookups: Lookups) -> None:
    name, lookups.fault = Name("model", 80), fault
    lookups.open.set()
    for _ in range(2):
        with pytest.raises(OSError):
            await name.addresses()
    assert len(lookups.asked) == 2


async def test_a_fault_that_nobody_waits_for_is_no_news(lookups: Lookups) -> None:
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
    name, lookups.fault = Name("model", 80), socket.gaierror("no such name")
    asking = asyncio.create_task(name.addresses())
    await settle()
    asking.cancel()
    lookups.open.set()
    await settle()
    assert name._asking is None
    del asking
    gc.collect()
    await settle()
    assert not told


async def test_closing_ends_a_lookup(lookups: Lookups) -> None:
    name = Name("model", 80)
    asking = asyncio.create_task(name.addresses())
    await settle()
    name.close()
    with pytest.raises(OSError):
        await asking
    assert name._asking is None


async def test_a_name_where_nobody_was_is_forgotten(
    lookups: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: Any, **__: Any) -> Any:
        raise ConnectionRefusedError

    monkeypatch.setattr(dial, "start_connection", refused)
    lookups.open.set()
    name, nobody = Name("model", 80), origin_of("http://model")
    nothing: Callable[..., None] = lambda *_: None  # noqa: E731
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            await dial.dial(nobody, name, Connection(nothing, nothing))
    assert len(lookups.asked) == 2
