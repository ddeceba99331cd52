"""Which connection a call is given, and what becomes of it."""

import asyncio
from typing import Any

import pytest

from tests.integration.transport.connections.servers import (
    HELLO,
    OK,
    get,
    heard,
    pooled,
    post,
    saying,
    served,
    whole,
)
from tests.polling import eventually


async def test_a_connection_serves_call_after_call() -> None:
    async with served(saying(HELLO)) as server, pooled() as pool:
        for _ in range(5):
            assert await post(pool, server.url, b"{}") == b"Hello"
            assert await get(pool, server.url) == b"Hello"
        (requests,) = server.requests
        assert len(requests) == 10
        assert requests[0].endswith(b"Content-Length: 2\r\n\r\n{}")
        assert b"Content-Length" not in requests[1]


async def test_as_many_as_calls_at_once_and_no_more() -> None:
    async with served(saying(HELLO)) as server, pooled() as pool:
        for _ in range(3):
            answers = await asyncio.gather(*(post(pool, server.url) for _ in range(20)))
            assert set(answers) == {b"Hello"}
        assert server.connections <= 20


@pytest.mark.parametrize("after", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEvil"])
async def test_no_call_gets_what_another_asked_for(after: bytes) -> None:
    """A service, or somebody between, says more than one answer to one request."""
    async with served(saying(HELLO + after)) as server, pooled() as pool:
        assert [await post(pool, server.url) for _ in range(3)] == [b"Hello"] * 3
        assert server.connections == (3 if after else 1)


async def test_what_is_said_to_nobody_ends_the_connection() -> None:
    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        await heard(reader, reader.requests)
        writer.write(HELLO)
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEvil")
        await reader.read()

    async with served(talk) as server, pooled() as pool:
        assert await post(pool, server.url) == b"Hello"
        await eventually(lambda: server.open == 0)
        assert await post(pool, server.url) == b"Hello"


async def test_who_answers_before_it_has_heard_all_gets_no_further_call() -> None:
    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        reader.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nHello")
        await writer.drain()
        await asyncio.sleep(60)

    async with served(talk) as server, pooled() as pool:
        for _ in range(2):
            answer = await pool.ask("POST", server.url, "/", {}, b"x" * 30_000_000)
            assert (answer.status, await whole(answer)) == (413, b"Hello")
        assert server.connections == 2


async def test_an_idle_connection_ends_in_time() -> None:
    async with served(saying(HELLO)) as server, pooled(idle=0.5) as pool:
        await asyncio.gather(*(post(pool, server.url) for _ in range(5)))
        await eventually(lambda: server.open == 0)
        assert not pool._open
        assert await post(pool, server.url) == b"Hello"
    assert pool._sweeper is not None
    assert pool._sweeper.cancelled()  # it would keep the pool until then


async def test_it_is_idle_from_its_answers_end_however_late_that_is_read() -> None:
    """The service counts from there."""
    async with served(saying(HELLO)) as server, pooled(idle=0.5) as pool:
        answer = await pool.ask("POST", server.url, "/", {})
        await asyncio.sleep(1)
        assert await whole(answer) == b"Hello"
        assert await post(pool, server.url) == b"Hello"
        assert server.connections == 2


async def test_one_that_is_used_does_not_end_for_its_age() -> None:
    async with served(saying(HELLO)) as server, pooled(idle=3) as pool:
        for _ in range(8):
            await post(pool, server.url)
            await asyncio.sleep(0.6)
        assert server.connections == 1


async def test_calls_beyond_the_limit_wait_in_their_order() -> None:
    let = asyncio.Event()

    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        while True:
            await heard(reader, reader.requests)
            await let.wait()
            writer.write(HELLO)

    async with served(talk) as server, pooled(limit=1) as pool:
        calls = [asyncio.create_task(post(pool, server.url, b"%d" % number)) for number in range(6)]
        await eventually(lambda: sum(map(len, server.requests)) == 1)
        calls[3].cancel()
        calls[0].cancel()  # one that waits, and the one that has a connection
        await eventually(lambda: sum(map(len, server.requests)) == 2)
        let.set()
        await asyncio.gather(*calls, return_exceptions=True)
        assert [request[-1:] for requests in server.requests for request in requests] == [
            b"0",
            b"1",
            b"2",
            b"4",
            b"5",
        ]
        assert pool._room._value == 1


async def test_a_call_that_is_cancelled_takes_its_connection_along() -> None:
    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        await heard(reader, reader.requests)
        await reader.read()

    async with served(talk) as server, pooled() as pool:
        calls = [asyncio.create_task(post(pool, server.url)) for _ in range(10)]
        await eventually(lambda: server.open == 10 and all(server.requests))
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await eventually(lambda: server.open == 0)
        assert not pool._open
        assert pool._room._value == 1000


async def test_a_large_answer_leaves_its_connection_as_it_was() -> None:
    """Its reader was away when the last of it came."""
    large = OK + b"Content-Length: 150000\r\n\r\n" + b"x" * 150_000
    async with served(saying(large, HELLO)) as server, pooled() as pool:
        answer = await pool.ask("GET", server.url, "/", {})
        pieces = answer.pieces()
        found = len(await anext(pieces))
        await asyncio.sleep(0.3)
        found += sum([len(piece) async for piece in pieces])
        answer.release()
        assert found == 150_000
        assert await post(pool, server.url, between=5) == b"Hello"
        assert server.connections == 1


async def test_one_that_is_about_to_end_is_not_used() -> None:
    """What is written to it is not sent, and a call that may not be made twice would be lost."""
    async with served(saying(HELLO)) as server, pooled() as pool:
        assert await post(pool, server.url) == b"Hello"
        (connection,) = pool._open
        connection._transport.close()
        assert await post(pool, server.url) == b"Hello"
        assert server.connections == 2


async def test_head_is_not_spoken() -> None:
    async with served(saying(HELLO)) as server, pooled() as pool:
        with pytest.raises(ValueError, match="HEAD"):
            await pool.ask("HEAD", server.url, "/", {})
