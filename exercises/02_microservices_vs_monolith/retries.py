"""Exercise 2.3: retries that do no harm.

A client of the job service tries three times, as many do. When the service is down, that triples its load;
when only the answer was lost, it makes a second job.

Done when retries add at most a tenth to the calls while everything fails; when a rare fault is still hidden
from the caller; when one `submit` never makes two jobs, and two never share one; and when nothing is asked
again that was refused.
"""

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
        # TODO Keep an account of the retries that may still be made.
        self.submits = self.retries = 0

    async def submit(self, prompts: Sequence[str]) -> str:
        """The job's id. Raises: Lost, Refused."""
        # TODO Make each retry harmless to the job, and all of them together harmless to the service.
        for attempt in range(ATTEMPTS):
            try:
                return await self.send(prompts, uuid4().hex)
            except (Lost, Refused):
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError
