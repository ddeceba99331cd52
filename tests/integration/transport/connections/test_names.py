"""Names with several addresses, and TLS."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from prodigon_lib.transport.connections import dial
from prodigon_lib.transport.connections.door import AT_ONCE
from prodigon_lib.transport.connections.faults import ConnectionBroke, NobodyListens
from prodigon_lib.transport.connections.names import Name
from prodigon_lib.transport.connections.pool import LIMIT
from tests.certificates import write_certificate
from tests.integration.transport.connections.servers import (
    HELLO,
    OK,
    black_hole,
    get,
    pooled,
    post,
    saying,
    served,
)
from tests.polling import eventually

MUCH = b"x" * 3_000_000


def has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


SIX = pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine"))


@pytest.mark.parametrize("host", ["127.0.0.1", SIX])
async def test_one_of_a_names_addresses_will_do(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(saying(HELLO), host=host) as server, pooled() as pool:
        port = int(server.url.rpartition(":")[2])

        async def both(_: Name) -> Any:
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
            ]

        monkeypatch.setattr(Name, "addresses", both)
        assert await post(pool, f"http://service:{port}") == b"Hello"
        assert server.requests[0][0].startswith(b"POST / HTTP/1.1\r\nHost: service:%d\r\n" % port)


async def test_an_address_that_hangs_does_not_keep_from_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as hole:
        async with served(saying(HELLO)) as server, pooled(connect=60) as pool:
            ports = hole, int(server.url.rpartition(":")[2])

            async def both(_: Name) -> Any:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

            monkeypatch.setattr(Name, "addresses", both)
            assert await asyncio.wait_for(post(pool, "http://service"), 20) == b"Hello"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    def these(authorities: Path) -> None:
        dial.trusted.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(authorities))

    yield these
    dial.trusted.cache_clear()


async def test_tls(
    secure: ssl.SSLContext, certificate: tuple[Path, Path], trust: Callable[[Path], None]
) -> None:
    trust(certificate[0])
    long = OK + b"Content-Length: %d\r\n\r\n" % len(MUCH) + MUCH
    async with served(saying(HELLO, long, HELLO), tls=secure) as server, pooled() as pool:
        assert await post(pool, server.url) == b"Hello"
        assert await get(pool, server.url) == MUCH
        assert await post(pool, server.url, MUCH) == b"Hello"
        assert server.connections == 1
        assert await get(pool, server.url) == b"Hello"
        assert server.connections == 2  # nobody could say whether all of a large request had gone


async def test_one_that_is_given_up_as_it_is_made_takes_its_socket_along(
    secure: ssl.SSLContext, certificate: tuple[Path, Path], trust: Callable[[Path], None]
) -> None:
    """A loop that watched a closed one would take the next with its number for it."""
    trust(certificate[0])
    async with served(saying(HELLO), tls=secure) as server, pooled() as pool:
        for turns in range(60):
            call = asyncio.create_task(post(pool, server.url))
            if turns < 30:
                for _ in range(turns):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep((turns - 30) / 3000)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        assert await asyncio.gather(*(post(pool, server.url) for _ in range(20))) == [b"Hello"] * 20
        assert pool._room._value == LIMIT


async def test_over_tls_too_an_answer_is_whole_or_none(
    secure: ssl.SSLContext, certificate: tuple[Path, Path], trust: Callable[[Path], None]
) -> None:
    trust(certificate[0])
    async with served(saying(HELLO[:-1], end="closes"), tls=secure) as server, pooled() as pool:
        with pytest.raises(ConnectionBroke):
            await post(pool, server.url)


async def test_over_tls_an_end_that_anybody_could_make_is_no_answers_end(
    secure: ssl.SSLContext, certificate: tuple[Path, Path], trust: Callable[[Path], None]
) -> None:
    trust(certificate[0])
    endless = OK + b"X-One: 1\r\n\r\nhalf"
    async with served(saying(endless, end="closes"), tls=secure) as server, pooled() as pool:
        with pytest.raises(ConnectionBroke):
            await post(pool, server.url)


async def test_nobody_is_told_anything_whose_certificate_is_not_theirs(
    secure: ssl.SSLContext, certificate: tuple[Path, Path], trust: Callable[[Path], None]
) -> None:
    async with served(saying(HELLO), tls=secure) as server, pooled() as pool:
        with pytest.raises(NobodyListens):  # signed by nobody whom the machine knows
            await post(pool, server.url, b"secret")
        trust(certificate[0])
        with pytest.raises(NobodyListens):  # known, and for another name
            await post(pool, server.url.replace("127.0.0.1", "localhost"), b"secret")
        assert not any(server.requests)


async def test_a_name_that_is_long_in_coming_holds_up_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each lookup takes a thread, of which there are few; an address needs none."""
    asked = 0

    async def slow(_: Name) -> Any:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()

    monkeypatch.setattr(Name, "_look_up", slow)
    async with served(saying(HELLO)) as server, pooled(connect=60) as pool:
        calls = [asyncio.create_task(post(pool, "http://slow.example:80")) for _ in range(20)]
        await eventually(lambda: asked)
        assert await asyncio.wait_for(post(pool, server.url), 20) == b"Hello"
        assert asked == 1
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_who_waits_for_a_name_is_told_when_the_pool_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: Name) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(Name, "_look_up", never)
    async with pooled(connect=60) as pool:
        calls = [asyncio.create_task(post(pool, "http://slow.example:80")) for _ in range(2 * AT_ONCE)]
        await eventually(lambda: pool._names and pool._names[0]._asking is not None)
        await pool.close()
        ended = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 20)
        assert all(isinstance(error, NobodyListens) for error in ended)


@pytest.mark.parametrize("name", ["no-such-name.invalid", "a" * 70 + ".example"])
async def test_no_such_name(name: str) -> None:
    async with pooled() as pool:
        with pytest.raises(NobodyListens):
            await post(pool, f"http://{name}:80")
        assert pool._room._value == LIMIT
