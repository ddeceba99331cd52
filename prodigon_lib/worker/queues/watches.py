"""Who waits for a job to change is told by one poll for all of them, and only while somebody waits.

Notifications would have to be sent for each prompt that ends, watched or not, and may be missed.
"""

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Hashable, Mapping

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.ids import JobId
from prodigon_lib.core.logging import get_logger
from prodigon_lib.core.schemas.jobs import JobView

logger = get_logger("queue", service="worker")

Marks = Mapping[JobId, Hashable]
"""For each job something that differs whenever its view does."""

POLL_SECONDS = 0.1


class Watches:
    """Args: `read` gives the marks of jobs that exist."""

    def __init__(self, read: Callable[[Collection[JobId]], Awaitable[Marks]]) -> None:
        self._read = read
        self._seen: dict[JobId, Hashable] = {}
        self._waiting: dict[JobId, set[asyncio.Event]] = {}
        self._poller: asyncio.Task[None] | None = None

    async def views(self, job: JobId, view: Callable[[], Awaitable[JobView]]) -> AsyncGenerator[JobView]:
        """The view now, and after each poll that saw a change, until the job has finished.

        A fault of the database is waited out, once the first view is there.
        """
        changed = asyncio.Event()
        self._waiting.setdefault(job, set()).add(changed)
        try:
            current = await view()
            yield current
            self._start()
            while not current.status.finished:
                await changed.wait()
                changed.clear()
                try:
                    newest = await view()
                except ProdigonError as error:
                    if not error.retryable:
                        raise
                    self._seen.pop(job, None)  # the next poll tells again
                    continue
                if newest != current:
                    current = newest
                    yield current
        finally:
            self._waiting[job].discard(changed)
            if not self._waiting[job]:
                del self._waiting[job]
                self._seen.pop(job, None)

    async def close(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.wait([self._poller])
            self._poller = None

    def _start(self) -> None:
        if self._poller is None or self._poller.done():
            # Its own context: the first watcher's deadline and request id are not those of the next.
            self._poller = asyncio.create_task(self._poll(), context=contextvars.Context())

    async def _poll(self) -> None:
        while self._waiting:
            jobs = list(self._waiting)
            try:
                marks = await self._read(jobs)
            except ProdigonError:
                pass  # the database is away, which was logged; the next poll finds what changed meanwhile
            except Exception:
                logger.exception("the progress of jobs could not be read")
            else:
                self._tell(jobs, marks)
            await asyncio.sleep(POLL_SECONDS)

    def _tell(self, jobs: Collection[JobId], marks: Marks) -> None:
        for job in jobs:
            mark = marks.get(job)  # none of a job that is gone, which reading it will say
            if mark is None or self._seen.get(job) != mark:
                self._seen[job] = mark
                for changed in self._waiting.get(job, ()):
                    changed.set()
