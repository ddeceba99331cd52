# fails: submits answered
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

Send = Callable[[Sequence[str], str], Awaitable[str]]
"""Sends prompts under an idempotency key; gives the job's id. The service makes one job for one key."""

ATTEMPTS = 3  # of one submit, at most
SHARE = 0.1  # of all submits, how many may be sent again
RESERVE = 10  # retries that may be saved up


class Lost(Exception):
    """No answer came. The job was made, or it was not: nobody knows."""


class Refused(Exception):
    """The service said no, and will say so again."""


class JobClient:
    """Submits jobs; one for the life of the process."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.saved = 0.0

    async def submit(self, prompts: Sequence[str]) -> str:
        """The job's id. Raises: Lost, Refused."""
        key = uuid4().hex
        self.saved = min(self.saved + SHARE, RESERVE)
        return await self.send(prompts, key)
