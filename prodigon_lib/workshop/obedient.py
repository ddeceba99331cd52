"""Processes of a check's own that obey orders: a line of JSON in, a line of JSON out."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Obedient:
    """One of them."""

    process: asyncio.subprocess.Process

    async def obey(self, order: dict[str, Any]) -> dict[str, Any] | None:
        """What came of an order; `None` when it died of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        line = await self.process.stdout.readline()
        return None if not line else dict(json.loads(line))


@asynccontextmanager
async def obedient(program: ModuleType, *arguments: str, count: int = 3) -> AsyncIterator[list[Obedient]]:
    """`count` processes of a program that says a line once it is ready; killed when the block ends."""
    pipe = asyncio.subprocess.PIPE
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(Path(str(program.__file__))), *arguments, stdin=pipe, stdout=pipe
        )
        for _ in range(count)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            await process.stdout.readline()
        yield [Obedient(process) for process in started]
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
