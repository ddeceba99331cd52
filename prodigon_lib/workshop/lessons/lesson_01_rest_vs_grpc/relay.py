"""Counts the bytes between a client and a service: a relay on loopback that looks at nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HOST = "127.0.0.1"
PIECE = 64 * 1024


class Relay:
    """`sent` and `received` are as the client sees them, connection set-up of TCP not included."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = 0
        self.sent = self.received = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def total(self) -> int:
        return self.sent + self.received

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there, onward = await asyncio.open_connection(HOST, self._target)
        self._writers += [writer, onward]
        await asyncio.gather(
            self._pump(reader, onward, to_client=False), self._pump(there, writer, to_client=True)
        )

    async def close(self) -> None:
        """End what is still connected; nothing is left to run."""
        for writer in self._writers:
            writer.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_client: bool
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                if to_client:
                    self.received += len(piece)
                else:
                    self.sent += len(piece)
                writer.write(piece)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def relaying(target: int) -> AsyncIterator[Relay]:
    """A relay to the port `target`, while the block runs."""
    relay = Relay(target)
    server = await asyncio.start_server(relay.connected, HOST, 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        await relay.close()
