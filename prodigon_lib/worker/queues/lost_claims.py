"""Claims whose answer was lost on its way, as when the connection broke just after the commit.

Nobody runs their prompts, and until their lease ends nobody else would.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prodigon_lib.core.ids import JobId
from prodigon_lib.worker.queues import statements as sql
from prodigon_lib.worker.queues.base import Claim, Settled


@dataclass(slots=True)
class LostClaims:
    """Knows the lease of each claim that may have been committed unheard."""

    fetch: Callable[..., Awaitable[list[Any]]]
    release: Callable[[Sequence[Claim]], Awaitable[Settled]]
    _leases: list[UUID] = field(default_factory=list)

    def note(self, lease: UUID) -> None:
        self._leases.append(lease)

    async def give_back(self) -> None:
        """Release what was claimed under such a lease; they can be claimed at once, at the front."""
        if not self._leases:
            return
        rows = await self.fetch(sql.CLAIMED_UNDER, self._leases)
        if rows:
            await self.release([Claim(JobId(row[0]), row[1], row[2], row[3], *row[4:]) for row in rows])
        self._leases.clear()
