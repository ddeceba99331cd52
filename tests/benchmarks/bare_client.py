"""An HTTP client with nothing in it: httptools' parser on an asyncio protocol, and a stack of idle ones."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import httptools

PAUSE_ABOVE = 1024
"""Pieces that wait to be read; then the connection is not read until they are."""


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    dead = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def begin(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.status, self.kind = 0, b""
        self.parts: list[bytes] = []
        self.ended = self.paused = False
        self.head: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.more: asyncio.Future[None] | None = None

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.kind = value

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()
        if not self.head.done():
            self.head.set_result(None)

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)

    def on_message_complete(self) -> None:
        self.ended = True

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.connection_lost(error)
            return
        if len(self.parts) > PAUSE_ABOVE and not self.paused:
            self.paused = True
            self.transport.pause_reading()
        if self.more is not None and not self.more.done():
            self.more.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.drop()
        for waiting in (getattr(self, "head", None), getattr(self, "more", None)):
            if waiting is not None and not waiting.done():
                waiting.set_exception(ConnectionResetError("the upstream closed"))

    def drop(self) -> None:
        self.dead = True
        self.transport.close()

    async def wait(self) -> None:
        if self.dead:
            raise ConnectionResetError("the upstream closed")
        if self.paused:
            self.paused = False
            self.transport.resume_reading()
        self.more = asyncio.get_running_loop().create_future()
        await self.more
        self.more = None


class BareClient:
    def __init__(self, upstream: str) -> None:
        address = urlsplit(upstream)
        self.host, self.port = address.hostname, address.port
        self.idle: list[Connection] = []
        self.head = (
            f" HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
            "Authorization: Bearer sk-upstream\r\nContent-Length: "
        ).encode()

    async def whole(self, path: str, body: bytes) -> tuple[int, bytes, bytes]:
        connection = await self._send(path, body)
        try:
            while not connection.ended:
                await connection.wait()
            return connection.status, connection.kind, b"".join(connection.parts)
        finally:
            self._release(connection)

    async def stream(self, path: str, body: bytes) -> AsyncGenerator[Any]:
        """Status and type, then the bytes in whatever pieces they arrive."""
        connection = await self._send(path, body)
        try:
            yield connection.status, connection.kind
            while connection.parts or not connection.ended:
                if not connection.parts:
                    await connection.wait()
                    continue
                parts, connection.parts = connection.parts, []
                yield parts[0] if len(parts) == 1 else b"".join(parts)
        finally:
            self._release(connection)

    async def _send(self, path: str, body: bytes) -> Connection:
        connection = await self._connection()
        connection.begin()
        connection.transport.write(b"POST " + path.encode() + self.head + b"%d\r\n\r\n" % len(body) + body)
        try:
            await connection.head
        except BaseException:
            connection.drop()
            raise
        return connection

    async def _connection(self) -> Connection:
        while self.idle:
            connection = self.idle.pop()
            if not connection.dead:
                return connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self.host, self.port)
        return connection

    def _release(self, connection: Connection) -> None:
        if connection.ended and not connection.dead:
            self.idle.append(connection)
        else:
            connection.drop()
