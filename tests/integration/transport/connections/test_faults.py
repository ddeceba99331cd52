"""Connections that are not there, break, or fall silent."""

import asyncio
import socket
from typing import Any

import pytest

from prodigon_lib.transport.connections import pool as pool_module
from prodigon_lib.transport.connections.answer import AHEAD
from prodigon_lib.transport.connections.connection import Connection
from prodigon_lib.transport.connections.dial import dial
from prodigon_lib.transport.connections.door import AT_ONCE
from prodigon_lib.transport.connections.faults import ConnectionBroke, NobodyListens, StaleConnection
from prodigon_lib.transport.connections.pool import Pool
from tests.integration.transport.connections.servers import (
    HELLO,
    OK,
    black_hole,
    get,
    heard,
    pooled,
    post,
    saying,
    served,
    whole,
)
from tests.polling import eventually


def answering(*numbers: int) -> Any:
    """Of each connection: the first call is answered if it is one of these, a second one is heard."""
    calls = iter(range(100))

    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        await heard(reader, reader.requests)
        if next(calls) in numbers:
            writer.write(HELLO)
            await heard(reader, reader.requests)

    return talk


async def test_after_one_that_ended_none_is_used_that_is_idle() -> None:
    """The service has ended them all as we use the first of them: nobody has heard of the others."""
    async with served(answering(0, 1, 2)) as server, pooled() as pool:
        await asyncio.gather(get(pool, server.url), get(pool, server.url))
        assert await get(pool, server.url) == b"Hello"
        assert sorted(len(requests) for requests in server.requests) == [1, 1, 2]


async def test_who_asks_for_a_new_connection_gets_one() -> None:
    async with served(saying(HELLO)) as server, pooled() as pool:
        assert [await post(pool, server.url, fresh=fresh) for fresh in (False, True, False)] == [b"Hello"] * 3
        assert sorted(len(requests) for requests in server.requests) == [1, 2]


async def test_what_is_tried_again_is_tried_once() -> None:
    async with served(answering(0)) as server, pooled() as pool:
        await get(pool, server.url)
        with pytest.raises(ConnectionBroke) as told:
            await get(pool, server.url)
        assert not isinstance(told.value, StaleConnection)
        assert [len(requests) for requests in server.requests] == [2, 1]


async def test_a_call_that_may_not_be_made_twice_is_told_that_it_was_an_idle_one() -> None:
    async with served(answering(0)) as server, pooled() as pool:
        await get(pool, server.url)
        with pytest.raises(StaleConnection):
            await post(pool, server.url)
        assert [len(requests) for requests in server.requests] == [2]


async def test_a_harmless_call_is_made_again_on_a_new_connection() -> None:
    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        await heard(reader, reader.requests)
        writer.write(HELLO)
        await heard(reader, reader.requests)

    async with served(talk) as server, pooled() as pool:
        assert [await get(pool, server.url) for _ in range(3)] == [b"Hello"] * 3
        assert [len(requests) for requests in server.requests] == [2, 2, 1]


async def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with pooled() as pool:
            with pytest.raises(NobodyListens):
                await post(pool, f"http://127.0.0.1:{taken.getsockname()[1]}")
            with pytest.raises(NobodyListens):
                await post(pool, "http://no-such-name.invalid:80")
            assert pool._room._value == 1000


async def test_a_black_hole() -> None:
    with black_hole() as hole:
        async with pooled(connect=0.5) as pool:
            with pytest.raises(NobodyListens) as caught:
                await asyncio.wait_for(post(pool, f"http://127.0.0.1:{hole}"), 20)
            assert isinstance(caught.value, TimeoutError)


async def test_an_address_that_hangs_holds_up_no_other() -> None:
    """All its turns to connect are taken; who waits for one takes nobody's room."""
    with black_hole() as hole:
        async with served(saying(HELLO)) as server, pooled(connect=60, limit=AT_ONCE + 1) as pool:
            calls = [asyncio.create_task(post(pool, f"http://127.0.0.1:{hole}")) for _ in range(2 * AT_ONCE)]
            await asyncio.sleep(0.2)
            assert await asyncio.wait_for(post(pool, server.url), 20) == b"Hello"
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            assert pool._room._value == AT_ONCE + 1


@pytest.mark.parametrize("said", [b"", OK + b"Content-Length: 5\r\n\r\nHe"])
async def test_a_silence(said: bytes) -> None:
    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        await heard(reader, reader.requests)
        writer.write(said)
        await reader.read()

    async with served(talk) as server, pooled() as pool:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(post(pool, server.url, between=0.3), 20)
        await eventually(lambda: server.open == 0)


async def test_a_reader_that_is_slow_stops_the_sender() -> None:
    sent = 0

    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await heard(reader, reader.requests)
        writer.write(OK + b"Content-Length: 100000000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    async with served(talk) as server, pooled() as pool:
        answer = await pool.ask("POST", server.url, "/", {}, between=30)
        await asyncio.sleep(1)
        stopped = sent
        assert answer._held < AHEAD + 1_000_000
        assert stopped < 50_000_000  # the sockets' own buffers hold some
        found = 0
        async for piece in answer.pieces():
            found += len(piece)
        answer.release()
        assert (found, sent) == (100_000_000, 100_000_000)


async def test_closing_ends_calls_and_connections() -> None:
    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        while True:
            await heard(reader, reader.requests)
            if sum(map(len, server.requests)) < 3:
                writer.write(HELLO)

    async with served(talk) as server:
        pool = Pool(connect_seconds=5, idle_seconds=60)
        await asyncio.gather(post(pool, server.url), post(pool, server.url))
        call = asyncio.create_task(pool.ask("POST", server.url, "/", {}))
        await eventually(lambda: sum(map(len, server.requests)) == 3)
        await pool.close()
        with pytest.raises(ConnectionBroke):
            await call
        assert not pool._open
        await eventually(lambda: server.open == 0)
        with pytest.raises(NobodyListens):
            await post(pool, server.url)


async def test_what_we_end_ourselves_is_not_whole() -> None:
    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        await heard(reader, reader.requests)
        writer.write(OK + b"X-One: 1\r\n\r\nhalf")
        await reader.read()

    async with served(talk) as server:
        pool = Pool(connect_seconds=5, idle_seconds=60)
        answer = await pool.ask("POST", server.url, "/", {})
        reading = asyncio.create_task(answer.read())
        await asyncio.sleep(0.1)
        await pool.close()
        with pytest.raises(ConnectionBroke):
            await reading
        answer.release()


async def test_who_stops_listening_and_has_answered_is_heard() -> None:
    """The rest of the request is never taken, and the answer ends with the connection."""

    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        reader.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.0 413 Too Large\r\n\r\nno")
        writer.write_eof()
        await asyncio.sleep(60)

    async with served(talk) as server, pooled() as pool:
        answer = await pool.ask("POST", server.url, "/", {}, b"x" * 30_000_000, between=20)
        assert (answer.status, await whole(answer)) == (413, b"no")


async def test_nothing_is_begun_after_the_end() -> None:
    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        await heard(reader, reader.requests)
        await reader.read()

    async with served(talk) as server:
        pool = Pool(connect_seconds=5, idle_seconds=60, limit=2)
        calls = [asyncio.create_task(post(pool, server.url)) for _ in range(20)]
        await eventually(lambda: sum(map(len, server.requests)) == 2)
        await pool.close()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert (
            sorted(type(error).__name__ for error in ended)
            == ["ConnectionBroke"] * 2 + ["NobodyListens"] * 18
        )
        assert server.connections == 2


async def test_one_that_ends_as_it_is_made_has_told_nobody_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dial_in_vain(origin: Any, name: Any, connection: Connection) -> None:
        await dial(origin, name, connection)
        connection.drop()

    monkeypatch.setattr(pool_module, "dial", dial_in_vain)
    async with served(saying(HELLO)) as server, pooled(limit=1) as pool:
        for _ in range(2):
            with pytest.raises(NobodyListens):
                await asyncio.wait_for(post(pool, server.url), 20)
        assert not any(server.requests)


async def test_one_that_is_made_as_the_pool_closes_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dial_late(origin: Any, name: Any, connection: Connection) -> None:
        await pool.close()
        await dial(origin, name, connection)

    monkeypatch.setattr(pool_module, "dial", dial_late)
    async with served(saying(HELLO)) as server, pooled() as pool:
        with pytest.raises(NobodyListens):
            await post(pool, server.url)
        assert not any(server.requests)
        await eventually(lambda: server.open == 0)


async def test_a_call_that_may_have_been_heard_is_not_said_to_have_reached_nobody() -> None:
    """It broke, was made again, and then nobody was there: another address may have it as well no more."""

    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        await heard(reader, reader.requests)
        writer.write(HELLO)
        await heard(reader, reader.requests)
        server.listener.close()

    async with served(talk) as server, pooled() as pool:
        assert await get(pool, server.url) == b"Hello"
        with pytest.raises(ConnectionBroke) as told:
            await pool.ask("DELETE", server.url, "/", {})
        assert not isinstance(told.value, StaleConnection)
        assert len(server.requests[0]) == 2


@pytest.mark.parametrize(
    ("before", "said", "stays", "fault"),
    [
        (0, b"", False, ConnectionBroke),  # a new connection: it was not idleness that ended it
        (1, b"HTTP/1.1 2", False, ConnectionBroke),  # the call was heard, and answered
        (1, b"", True, TimeoutError),  # it may still be at work
    ],
)
async def test_no_other_fault_makes_a_call_twice(
    before: int, said: bytes, stays: bool, fault: type[Exception]
) -> None:
    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        for _ in range(before):
            await heard(reader, reader.requests)
            writer.write(HELLO)
        await heard(reader, reader.requests)
        writer.write(said)
        await writer.drain()
        await asyncio.sleep(60 if stays else 0.1)

    async with served(talk) as server, pooled() as pool:
        for _ in range(before):
            assert await get(pool, server.url) == b"Hello"
        with pytest.raises(fault) as told:
            await get(pool, server.url, between=0.5 if stays else 60)
        assert not isinstance(told.value, StaleConnection)
        assert [len(requests) for requests in server.requests] == [before + 1]
