"""A job, as a handle that knows its client."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from prodigon_lib.client import calls
from prodigon_lib.core.errors import ProdigonError, UpstreamTimeout
from prodigon_lib.core.schemas.jobs import JobStatus, JobView, PromptError
from prodigon_lib.core.sse import Event

if TYPE_CHECKING:
    from prodigon_lib.client.asynchronous import AsyncClient
    from prodigon_lib.client.sync import Client

FIRST_LOOK_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0


class JobState:
    """A job as it was when last asked for; `refresh` and `wait` ask again. `view` is the wire's own form.

    `request_id` is that of the request that sent it: its workers' logs and spans have it too. It is empty for
    a job that was looked up.
    """

    def __init__(self, view: JobView, request_id: str = "") -> None:
        self.view = view
        self.request_id = request_id

    @property
    def id(self) -> str:
        return str(self.view.job_id)

    @property
    def status(self) -> JobStatus:
        return self.view.status

    @property
    def finished(self) -> bool:
        return self.view.status.finished

    @property
    def total(self) -> int:
        return self.view.total_prompts

    @property
    def completed(self) -> int:
        """How many prompts have a result."""
        return self.view.completed_prompts

    @property
    def results(self) -> list[str | None]:
        """One entry a prompt, in their order; `None` until done or where the prompt failed."""
        return self.view.results

    @property
    def errors(self) -> list[PromptError]:
        return self.view.errors

    @property
    def error(self) -> str | None:
        """Why the job failed, in a line."""
        return self.view.error

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.status.value} {self.completed}/{self.total}>"

    def _too_late(self, timeout: float) -> UpstreamTimeout:
        return UpstreamTimeout(
            f"job {self.id} has not finished after {timeout:g} s: {self.completed} of {self.total} done"
        )


def pauses(timeout: float) -> Iterator[float]:
    """Seconds to wait before each look: short at first, doubling to one second, until the time is over."""
    end = time.monotonic() + timeout
    pause = FIRST_LOOK_SECONDS
    while (left := end - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


@contextmanager
def passing_faults() -> Iterator[None]:
    """Faults that the same call may not meet the next time end the block quietly; others are raised."""
    try:
        yield
    except ProdigonError as error:
        if not error.retryable:
            raise


def job_in(event: Event) -> JobView | None:
    return JobView.model_validate_json(event.data) if event.name == "job" else None


class Job(JobState):
    """A job of `Client`.

    job = client.submit_job(["One?", "Two?"])
    job.wait(timeout=60).results
    """

    def __init__(self, client: "Client", view: JobView, request_id: str = "") -> None:
        super().__init__(view, request_id)
        self._client = client

    def refresh(self) -> Self:
        return self._now(self._client.call(calls.get_job(self.id)))

    def wait(self, timeout: float = 60.0) -> Self:
        """Until it has finished in any way; look at `status` and `errors` then.

        A service that is away meanwhile is asked again: the job goes on without the one who asks.

        Raises:
            UpstreamTimeout: it has not within `timeout` seconds; it goes on all the same.
        """
        for pause in pauses(timeout):
            with passing_faults():
                if self.refresh().finished:
                    return self
            time.sleep(pause)
        if self.refresh().finished:
            return self
        raise self._too_late(timeout)

    def cancel(self) -> Self:
        """Raises: Conflict: it has finished."""
        return self._now(self._client.call(calls.cancel_job(self.id)))

    def retry(self) -> Self:
        """Run again what failed. Raises: Conflict: nothing did."""
        return self._now(self._client.call(calls.retry_job(self.id)))

    def events(self) -> Iterator["Job"]:
        """The job now, then at each change, until it has finished."""
        for event in self._client.events(calls.job_events(self.id)):
            if view := job_in(event):
                yield self._now(view)

    def _now(self, view: JobView) -> Self:
        self.view = view
        return self


class AsyncJob(JobState):
    """A job of `AsyncClient`."""

    def __init__(self, client: "AsyncClient", view: JobView, request_id: str = "") -> None:
        super().__init__(view, request_id)
        self._client = client

    async def refresh(self) -> Self:
        return self._now(await self._client.call(calls.get_job(self.id)))

    async def wait(self, timeout: float = 60.0) -> Self:
        """Until it has finished in any way; look at `status` and `errors` then.

        A service that is away meanwhile is asked again: the job goes on without the one who asks.

        Raises:
            UpstreamTimeout: it has not within `timeout` seconds; it goes on all the same.
        """
        for pause in pauses(timeout):
            with passing_faults():
                if (await self.refresh()).finished:
                    return self
            await asyncio.sleep(pause)
        if (await self.refresh()).finished:
            return self
        raise self._too_late(timeout)

    async def cancel(self) -> Self:
        """Raises: Conflict: it has finished."""
        return self._now(await self._client.call(calls.cancel_job(self.id)))

    async def retry(self) -> Self:
        """Run again what failed. Raises: Conflict: nothing did."""
        return self._now(await self._client.call(calls.retry_job(self.id)))

    async def events(self) -> AsyncIterator["AsyncJob"]:
        """The job now, then at each change, until it has finished."""
        async for event in self._client.events(calls.job_events(self.id)):
            if view := job_in(event):
                yield self._now(view)

    def _now(self, view: JobView) -> Self:
        self.view = view
        return self
