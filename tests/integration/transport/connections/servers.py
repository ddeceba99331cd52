"""Servers that do as a test tells them, and a pool that calls them."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from prodigon_lib.transport.connections.answer import Answer
from prodigon_lib.transport.connections.pool import Pool

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = OK + b"Content-Length: 5\r\n\r\nHello"
RESET = struct.pack("ii", 1, 0)

Talk = Callable[[Any, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Notes the connections that it was given, and the requests that came over each."""

    url: str = ""
    requests: list[list[bytes]] = field(default_factory=list)
    open: int = 0
    listener: Any = None

    @property
    def connections(self) -> int:
        return len(self.requests)


async def heard(reader: asyncio.StreamReader, requests: list[bytes]) -> bytes:
    """One request, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
    requests.append(head + await reader.readexactly(length))
    return requests[-1]


@asynccontextmanager
async def served(
    talk: Talk, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    server, tasks = Server(), set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        server.requests.append([])
        server.open += 1
        reader.requests = server.requests[-1]
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await talk(reader, writer)
            writer.close()  # all of it is sent first: the last is drained before that
            with suppress(ConnectionError):
                await writer.wait_closed()
        finally:
            server.open -= 1
            writer.transport.abort()

    listener = await asyncio.start_server(connected, host, 0, ssl=tls)
    server.listener, port = listener, listener.sockets[0].getsockname()[1]
    server.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def saying(*answers: bytes, end: str = "stays") -> Talk:
    """Each request is answered by the next of them, the last one again and again; then `end`."""

    async def talk(reader: Any, writer: asyncio.StreamWriter) -> None:
        left = list(answers)
        while True:
            await heard(reader, reader.requests)
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()
            if end == "closes":
                return
            if end == "resets":
                await asyncio.sleep(0.05)  # else what was said is lost with the connection
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                return

    return talk


@contextmanager
def black_hole() -> Iterator[int]:
    """A port whose queue of connections is full, and nobody takes one from it."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        yield deaf.getsockname()[1]


@asynccontextmanager
async def pooled(*, connect: float = 5, idle: float = 60, limit: int = 1000) -> AsyncIterator[Pool]:
    pool = Pool(connect_seconds=connect, idle_seconds=idle, limit=limit)
    try:
        yield pool
    finally:
        await pool.close()


async def get(pool: Pool, url: str, **how: Any) -> bytes:
    return await whole(await pool.ask("GET", url, "/", {}, **how))


async def post(pool: Pool, url: str, body: bytes = b"", **how: Any) -> bytes:
    return await whole(await pool.ask("POST", url, "/", {}, body, **how))


async def whole(answer: Answer) -> bytes:
    try:
        return await answer.read()
    finally:
        answer.release()
