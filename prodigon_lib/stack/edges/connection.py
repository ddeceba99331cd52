"""One connection through an edge: two ways, each delayed, narrowed and cut as the edge's faults say."""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from random import Random
from typing import Protocol

from prodigon_lib.stack.edges.faults import EdgeFaults
from prodigon_lib.stack.edges.plan import Address

PIECE = 64 * 1024
HELD = 1024 * 1024
"""Bytes that a way holds back at most; then its sender has to wait, as at any full buffer."""

SLICE_SECONDS = 0.05
RESET = struct.pack("ii", 1, 0)


class Harmful(Protocol):
    """What a connection reads of its edge; the faults may change at any time."""

    name: str
    faults: EdgeFaults
    passing: asyncio.Event
    """Set unless there is a black hole."""

    dropped: int
    cut: int


class Connection:
    """Bytes between a caller and the service that it wanted."""

    def __init__(
        self, edge: Harmful, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.edge = edge
        self.restart(number)
        self._reader, self._writers = reader, [writer]
        self._asking = False
        self._task = asyncio.current_task()

    def restart(self, number: int) -> None:
        """Draw and count from the beginning. Each has a seed of its own: no other one changes it."""
        seed = f"{self.edge.faults.seed}/{self.edge.name}/{number}"
        self._drops = Random(f"{seed}/drop")
        self._delays = {to_caller: Random(f"{seed}/{to_caller}") for to_caller in (False, True)}
        self.answered = 0

    async def run(self, connect: Address) -> None:
        """Until both sides have closed, or one broke. Raises OSError when the service is not there."""
        try:
            await self.edge.passing.wait()
            if self.edge.faults.cut_after == 0:
                self.edge.cut += 1
                return
            reader, writer = await opened(connect)
            self._writers.append(writer)
            there = Way(self, self._reader, writer, to_caller=False)
            back = Way(self, reader, self._writers[0], to_caller=True)
            with contextlib.suppress(OSError):
                await together(there, back)
                for each in self._writers:
                    each.close()
                    await each.wait_closed()
        finally:
            self._abort()

    def reset(self) -> None:
        """End it at once, on both sides."""
        self._abort()
        if self._task is not None:
            self._task.cancel()

    def turn(self, to_caller: bool) -> bool:
        """Note who speaks; whether a request begins: the caller speaks, and the service did before."""
        begins = not to_caller and not self._asking
        self._asking = not to_caller
        return begins

    def drops(self) -> bool:
        return self._drops.random() < self.edge.faults.drop

    def delay(self, to_caller: bool) -> float:
        faults = self.edge.faults
        return (faults.latency + faults.jitter * self._delays[to_caller].random()) / 2

    def _abort(self) -> None:
        for writer in self._writers:
            abort(writer)


class Way:
    """One direction. Reading and writing are two tasks: what waits for its time stops nothing behind it."""

    def __init__(
        self,
        connection: Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        to_caller: bool,
    ) -> None:
        self._connection, self._edge = connection, connection.edge
        self._reader, self._writer, self._to_caller = reader, writer, to_caller
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._some, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._held = 0
        self._last = 0.0
        self._clock = asyncio.get_running_loop().time

    async def read(self) -> None:
        while True:
            data = await self._reader.read(PIECE)
            await self._edge.passing.wait()
            if data and self._connection.turn(self._to_caller) and self._connection.drops():
                self._edge.dropped += 1
                raise ConnectionResetError
            self._last = max(self._last, self._clock() + self._connection.delay(self._to_caller))
            self._pieces.append((self._last, data))
            self._held += len(data)
            self._some.set()
            if not data:
                return
            if self._held >= HELD:
                self._room.clear()
                await self._room.wait()

    async def write(self) -> None:
        while True:
            while not self._pieces:
                self._some.clear()
                await self._some.wait()
            due, data = self._pieces.popleft()
            if (wait := due - self._clock()) > 0:
                await asyncio.sleep(wait)
            await self._edge.passing.wait()
            if not data:
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                return
            await self._pass(data)
            self._held -= len(data)
            if self._held < HELD:
                self._room.set()

    async def _pass(self, data: bytes) -> None:
        while data:
            width = self._edge.faults.bandwidth
            size = len(data) if width is None else max(1, int(width * SLICE_SECONDS))
            piece, data = self._within(data[:size]), data[size:]
            began = self._clock()
            self._writer.write(piece)
            await self._writer.drain()
            if self._to_caller:
                self._connection.answered += len(piece)
                if self._spent():
                    self._edge.cut += 1
                    raise ConnectionResetError
            if width is not None:
                await asyncio.sleep(len(piece) / width - (self._clock() - began))

    def _within(self, piece: bytes) -> bytes:
        limit = self._edge.faults.cut_after
        if limit is None or not self._to_caller:
            return piece
        return piece[: max(0, limit - self._connection.answered)]

    def _spent(self) -> bool:
        limit = self._edge.faults.cut_after
        return limit is not None and self._connection.answered >= limit


async def together(there: Way, back: Way) -> None:
    """Run both ways until both have ended; a fault of one ends all. Raises OSError."""
    tasks = [asyncio.create_task(each) for way in (there, back) for each in (way.read(), way.write())]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def opened(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(address, str):
        return await asyncio.open_unix_connection(address)
    return await asyncio.open_connection(*address)


def abort(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side sees a reset, not an end; on a Unix socket both look alike."""
    end: socket.socket | None = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if end is not None and end.family != socket.AF_UNIX:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
