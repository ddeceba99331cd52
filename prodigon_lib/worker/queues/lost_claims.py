"""Claims whose answer was lost on its way, as when the connection broke just after the commit.

Nobody runs their prompts, and until their lease ends nobody else would.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from prodigon_lib.core.ids import JobId
from prodigon_lib.worker.queues.base import Claim, Settled


@dataclass(slots=True)
class LostClaims:
    """Knows the lease of each claim that may have been committed unheard.

    Args:
        find: the claims under these leases; of each what `release` looks at is enough.
    """

    find: Callable[[Sequence[UUID]], Awaitable[list[Claim]]]
    release: Callable[[Sequence[Claim]], Awaitable[Settled]]
    _leases: list[UUID] = field(default_factory=list)

    def note(self, lease: UUID) -> None:
        self._leases.append(lease)

    async def give_back(self) -> None:
        """Release what was claimed under such a lease; they can be claimed at once, at the front."""
        if not self._leases:
            return
        if claims := await self.find(self._leases):
            await self.release(claims)
        self._leases.clear()


def bare_claim(job: UUID, position: int, lease: UUID, attempt: int) -> Claim:
    """A claim as housekeeping needs it, without what would run it."""
    return Claim(JobId(job), position, lease, attempt, "", None, 0, None, None)
