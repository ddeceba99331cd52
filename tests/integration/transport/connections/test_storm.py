"""Calls that end in every way at once: nothing stays behind, and nobody hears another's answer."""

import asyncio
import random
from contextlib import suppress
from typing import Any

import pytest

from prodigon_lib.core.time_limits import TimeLimits
from prodigon_lib.transport.connections.pool import Pool
from tests.integration.transport.connections.servers import OK, heard, served
from tests.polling import eventually

CALLS = 600
ROOM = 20
SIZES = (1, 100, 3_000, 30_000)


class Moody:
    """A server that echoes each call's path, cut and framed as it pleases, and hangs up now and then."""

    def __init__(self, lot: random.Random) -> None:
        self._lot = lot

    async def talk(self, reader: Any, writer: asyncio.StreamWriter) -> None:
        lot = self._lot
        while lot.random() > 0.05:
            request = await heard(reader, [])
            body = request.split(b" ", 2)[1] * lot.choice(SIZES)
            await asyncio.sleep(lot.choice((0, 0, 0.001, 0.02)))
            half = lot.randrange(len(body))
            kind = lot.choice(
                ("length", "chunked", "silent") if lot.random() < 0.1 else ("length", "chunked")
            )
            if kind == "silent":
                await reader.read()
            elif kind == "length":
                writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body[:half])
                await asyncio.sleep(0)
                writer.write(body[half:])
            else:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Transfer-Encoding: chunked\r\n\r\n")
                for part in (body[:half], body[half:]):
                    writer.write(b"%x\r\n%b\r\n" % (len(part), part) if part else b"")
                    await asyncio.sleep(0)
                writer.write(b"0\r\n\r\n")
            await writer.drain()


async def call(pool: Pool, url: str, number: int, lot: random.Random, limits: TimeLimits) -> bytes | None:
    """What came that is not its own; nothing, where it ended early."""
    tag = b"/%07d" % number
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError, TimeoutError), limits.until(loop.time() + lot.choice((0.005, 0.05, 5, 5))):
        method, body = lot.choice(("GET", "POST")), b"x" * lot.choice((0, 10, 200_000))
        answer = await pool.ask(method, url, tag.decode(), {}, body, between=1)
        try:
            if lot.random() < 0.5:
                return (await answer.read()).replace(tag, b"")
            found = []
            async for piece in answer.pieces():
                found.append(piece)
                await asyncio.sleep(lot.choice((0, 0, 0.002)))
                if lot.random() < 0.02:
                    return None
            return b"".join(found).replace(tag, b"")
        finally:
            answer.release()
    return None


@pytest.mark.parametrize("seed", range(3))
async def test_a_storm(seed: int) -> None:
    lot, loop, limits = random.Random(seed), asyncio.get_running_loop(), TimeLimits()
    before = asyncio.all_tasks()
    async with served(Moody(random.Random(seed)).talk) as server:
        listening = asyncio.all_tasks() - before
        pool = Pool(connect_seconds=5, idle_seconds=0.3, limit=ROOM, ticker=limits)
        running: set[asyncio.Task[bytes | None]] = set()
        ended: list[bytes] = []

        def over(task: "asyncio.Task[bytes | None]") -> None:
            running.discard(task)
            if not task.cancelled() and (found := task.result()) is not None:
                ended.append(found)

        for number in range(CALLS):
            running.add(task := asyncio.create_task(call(pool, server.url, number, lot, limits)))
            task.add_done_callback(over)
            if lot.random() < 0.3:
                loop.call_later(lot.choice((0, 0.0005, 0.002, 0.02)), task.cancel)
            if len(running) >= 2 * ROOM:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), 60)
        assert len(ended) > CALLS / 10
        assert set(ended) == {b""}
        assert pool._room._value == ROOM
        assert not limits.running
        await eventually(lambda: not pool._open and server.open == 0)
        assert not asyncio.all_tasks() - before - listening
        await pool.close()
