"""Which services are away: the banner over every panel."""

import asyncio
from collections.abc import Callable
from typing import Any

from prodigon_lib.client import AsyncClient
from prodigon_lib.core.errors import ProdigonError

WELL_SECONDS = 3.0
AWAY_SECONDS = 1.0
ANSWER_SECONDS = 5.0


class ServiceWatch:
    """Asks the gateway again and again whether all that it needs is there; tells of changes only."""

    def __init__(self, client: AsyncClient, tell: Callable[[dict[str, str]], None]) -> None:
        self._client = client
        self._tell = tell
        self._hurry = asyncio.Event()
        self.away: dict[str, str] = {}

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._hurry.clear()
            away = await self.look()
            if away != self.away:
                self.away = away
                self._tell(away)
            try:
                await asyncio.wait_for(self._hurry.wait(), AWAY_SECONDS if away else WELL_SECONDS)
            except TimeoutError:
                continue

    def hurry(self) -> None:
        """Look now: somebody met a service that was away."""
        self._hurry.set()

    async def look(self) -> dict[str, str]:
        """The services that are away, with a word on why."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return dict((await self._client.ready()).failing)
        except TimeoutError:
            return {"gateway": f"no answer within {ANSWER_SECONDS:g} s"}
        except ProdigonError as error:
            return {"gateway": error.message}

    def wire(self) -> dict[str, Any]:
        return {"away": self.away}
