"""Servers that are not ours, as their supervisor sees them: Postgres and Redis."""

import asyncio
import contextlib
import signal
import subprocess
from typing import Protocol

from prodigon_lib.stack.gate import Told
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.options import Restart
from prodigon_lib.stack.part import Part
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.stack.probe import Health
from prodigon_lib.stack.redis import RedisServer, ping


class Server(Protocol):
    """What starts such a server; both calls block, and raise StackError."""

    process: subprocess.Popen[bytes] | None

    def launch(self, told: Told | None = None) -> None: ...

    def wait_ready(self) -> None: ...


class ServerPart(Part):
    """`spawn` prepares the data folder too."""

    def __init__(self, name: str, server: Server, guardian: Guardian, restart: Restart) -> None:
        super().__init__(name, guardian, restart)
        self.server = server
        self._launching: asyncio.Task[None] | None = None

    async def spawn(self) -> None:
        self._launching = asyncio.create_task(self._launch())
        await asyncio.shield(self._launching)

    async def stop(self, patience: float) -> None:
        if self._launching is not None:  # a thread can't be called back: what it starts is stopped after it
            await asyncio.wait({self._launching})
        await super().stop(patience)

    async def _launch(self) -> None:
        await asyncio.to_thread(self.server.launch, lambda pid: self.guardian.add(pid, self.gentle))
        assert self.server.process is not None
        self.adopt(self.server.process)

    async def settle(self) -> None:
        await asyncio.to_thread(self.server.wait_ready)


class PostgresPart(ServerPart):
    gentle = signal.SIGINT  # a fast shutdown: open transactions roll back

    def __init__(self, postgres: EmbeddedPostgres, guardian: Guardian, restart: Restart) -> None:
        super().__init__("postgres", postgres, guardian, restart)
        self.postgres = postgres

    async def health(self) -> tuple[Health, str]:
        try:
            async with asyncio.timeout(1):
                _, writer = await asyncio.open_unix_connection(self.postgres.socket)
        except (OSError, TimeoutError):
            return Health.SILENT, "takes no connection"
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return Health.HEALTHY, ""


class RedisPart(ServerPart):
    def __init__(self, redis: RedisServer, guardian: Guardian, restart: Restart) -> None:
        super().__init__("redis", redis, guardian, restart)
        self.redis = redis

    async def health(self) -> tuple[Health, str]:
        said = await asyncio.to_thread(ping, self.redis.socket_path)
        return (Health.HEALTHY, "") if said is None else (Health.SILENT, said)
