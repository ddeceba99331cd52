"""The embedded Postgres as its supervisor sees it."""

import asyncio
import contextlib
import signal

from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.options import Restart
from prodigon_lib.stack.part import Part
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.stack.probe import Health


class PostgresPart(Part):
    """`spawn` initialises the data folder too when it is new."""

    gentle = signal.SIGINT  # a fast shutdown: open transactions roll back

    def __init__(self, postgres: EmbeddedPostgres, guardian: Guardian, restart: Restart) -> None:
        super().__init__("postgres", guardian, restart)
        self.postgres = postgres
        self._launching: asyncio.Task[None] | None = None

    async def spawn(self) -> None:
        self._launching = asyncio.create_task(self._launch())
        await asyncio.shield(self._launching)

    async def stop(self, patience: float) -> None:
        if self._launching is not None:  # a thread can't be called back: what it starts is stopped after it
            await asyncio.wait({self._launching})
        await super().stop(patience)

    async def _launch(self) -> None:
        await asyncio.to_thread(self.postgres.launch, lambda pid: self.guardian.add(pid, self.gentle))
        assert self.postgres.process is not None
        self.adopt(self.postgres.process)

    async def settle(self) -> None:
        await asyncio.to_thread(self.postgres.wait_ready)

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
