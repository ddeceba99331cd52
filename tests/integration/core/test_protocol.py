"""Limits of a connection, met over a socket: how large a head may be, how long a request may take to come."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Receive, Scope, Send

from prodigon_lib.core.http.protocol import MOST_HEAD_BYTES, MOST_HEADERS
from prodigon_lib.core.settings import Settings
from prodigon_lib.stack.serve import server_options
from tests.integration.serving import serving

PATIENCE = 1.0
LONG = 20.0


class Application:
    """Reads the whole body, then says its length and whose request it was."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.lifespan(receive, send)
            return
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            size += len(message["body"])
            more = message["more_body"]
        body = f"{size} {scope['client'][0]}".encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, text: str) -> None:
        self.writer.write(text.encode())

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(LONG):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])
            }
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body

    async def ended(self) -> bool:
        async with asyncio.timeout(LONG):
            return await self.reader.read() == b""


@asynccontextmanager
async def connected(application: Application | None = None) -> AsyncIterator[Connection]:
    options = server_options(Settings(_env_file=None, request_seconds=PATIENCE))
    async with serving(application or Application(), **options) as url:
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        try:
            yield Connection(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()


async def refused(connection: Connection, status: int, code: str) -> None:
    """An answer with the envelope, and the end of the connection."""
    answered, headers, body = await connection.answer()
    error = json.loads(body)["error"]
    assert (answered, error["code"]) == (status, code)
    assert error["request_id"] == headers["x-request-id"]
    assert headers["x-content-type-options"] == "nosniff"
    assert await connection.ended()


def headers(many: int, size: int = 1) -> str:
    return "".join(f"h{number}: {'x' * size}\r\n" for number in range(many))


async def test_as_many_headers_as_may_come_get_in() -> None:
    async with connected() as connection:
        for _ in range(2):
            connection.say(f"GET / HTTP/1.1\r\n{headers(MOST_HEADERS)}\r\n")
            assert (await connection.answer())[0] == 200


async def test_one_header_more_does_not() -> None:
    async with connected() as connection:
        connection.say(f"GET / HTTP/1.1\r\n{headers(MOST_HEADERS + 1)}\r\n")
        await refused(connection, 431, "HEADERS_TOO_LARGE")


@pytest.mark.parametrize("end", ["\r\n\r\n", ""])
async def test_a_head_that_is_too_long_is_refused(end: str) -> None:
    """Whole, or while it still comes."""
    async with connected() as connection:
        connection.say("GET / HTTP/1.1\r\nlong: " + "x" * (MOST_HEAD_BYTES + 1) + end)
        await refused(connection, 431, "HEADERS_TOO_LARGE")


async def test_a_long_body_is_no_long_head() -> None:
    async with connected() as connection:
        size = 4 * MOST_HEAD_BYTES
        for _ in range(2):
            connection.say(f"POST / HTTP/1.1\r\ncontent-length: {size}\r\n\r\n" + "x" * size)
            assert (await connection.answer())[2].split()[0] == str(size).encode()


async def test_what_is_no_http_has_the_envelope() -> None:
    async with connected() as connection:
        connection.say("HELLO\r\n\r\n")
        await refused(connection, 400, "BAD_REQUEST")


async def drip(connection: Connection) -> None:
    """A byte now and then: no time between two of them is long."""
    while not connection.writer.is_closing():
        connection.say("x")
        await asyncio.sleep(PATIENCE / 10)


@pytest.mark.parametrize(
    "begun", ["GET / HTTP/1.1\r\nslow: ", "POST / HTTP/1.1\r\ncontent-length: 9999\r\n\r\n"]
)
async def test_a_request_that_comes_byte_by_byte_is_given_up(begun: str) -> None:
    application = Application()
    async with connected(application) as connection:
        connection.say(begun)
        dripping = asyncio.create_task(drip(connection))
        try:
            status, _, body = await connection.answer()
        finally:
            dripping.cancel()
        assert (status, json.loads(body)["error"]["code"]) == (408, "REQUEST_TIMEOUT")
        if begun.startswith("POST"):
            await asyncio.wait_for(application.left.wait(), LONG)


async def test_who_says_nothing_is_hung_up_on() -> None:
    async with connected() as connection:
        assert await connection.ended()


async def test_who_has_been_answered_may_be_silent_for_longer() -> None:
    async with connected() as connection:
        connection.say("GET / HTTP/1.1\r\n\r\n")
        await connection.answer()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.reader.read(1), 2 * PATIENCE)
        connection.say("GET / HTTP/1.1\r\n\r\n")
        assert (await connection.answer())[0] == 200


async def test_nobody_on_this_machine_says_who_calls() -> None:
    async with connected() as connection:
        connection.say("GET / HTTP/1.1\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n")
        assert (await connection.answer())[2] == b"0 127.0.0.1"
