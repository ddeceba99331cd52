"""Batch jobs, as the gateway sees them, and their HTTP carrier."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

import orjson

from prodigon_lib.core import sse
from prodigon_lib.core.errors import ProdigonError, UpstreamError, error_for
from prodigon_lib.core.ids import JobId, UserId
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission, JobView
from prodigon_lib.transport.http import ServiceClient

USER_HEADER = "X-User-ID"
IDEMPOTENCY_HEADER = "Idempotency-Key"
RECONNECT_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first. `next_cursor` is `None` on the last page; it means nothing to a caller."""

    jobs: list[JobView]
    next_cursor: str | None


class JobsClient(Protocol):
    """The worker service, wherever it runs. Each call is on behalf of `user`, who sees only their own jobs.

    Raises (all calls):
        JobNotFound: there is no such job of this user.
        Conflict: `IDEMPOTENCY_CONFLICT`, `JOB_FINISHED` (cancel), `NOTHING_TO_RETRY`.
        UpstreamUnavailable, UpstreamTimeout, UpstreamError: the service is away.
    """

    async def submit(
        self, user: UserId, submission: JobSubmission, idempotency_key: str | None
    ) -> JobView: ...

    async def get(self, user: UserId, job: JobId) -> JobView: ...

    async def page(
        self, user: UserId, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> JobPage: ...

    async def cancel(self, user: UserId, job: JobId) -> JobView: ...

    async def retry(self, user: UserId, job: JobId) -> JobView: ...

    def events(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        """The job now, then at each change, until it has finished."""
        ...


class HttpJobsClient:
    """`JobsClient` over HTTP.

    Args:
        patience: seconds that `events` goes on asking after the worker service went away.
    """

    def __init__(self, service: ServiceClient, *, patience: float = 30.0) -> None:
        self._service = service
        self._patience = patience

    async def submit(self, user: UserId, submission: JobSubmission, idempotency_key: str | None) -> JobView:
        headers = self._as(user)
        if idempotency_key is not None:
            headers[IDEMPOTENCY_HEADER] = idempotency_key
        body = submission.model_dump_json(exclude_none=True).encode()
        return parse(
            await self._service.request(
                "POST", "/jobs", body=body, headers=headers, retry=idempotency_key is not None
            )
        )

    async def get(self, user: UserId, job: JobId) -> JobView:
        return parse(await self._service.request("GET", f"/jobs/{job}", headers=self._as(user), retry=True))

    async def page(
        self, user: UserId, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> JobPage:
        query = {"limit": limit, "status": status, "cursor": cursor}
        path = "/jobs?" + urlencode({name: value for name, value in query.items() if value is not None})
        document = await self._service.json("GET", path, headers=self._as(user), retry=True)
        return JobPage([JobView.model_validate(job) for job in document["jobs"]], document["next_cursor"])

    async def cancel(self, user: UserId, job: JobId) -> JobView:
        return parse(await self._service.request("POST", f"/jobs/{job}/cancel", headers=self._as(user)))

    async def retry(self, user: UserId, job: JobId) -> JobView:
        return parse(await self._service.request("POST", f"/jobs/{job}/retry", headers=self._as(user)))

    async def events(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        """A worker that goes away in between is no end: another one, or the same one revived, is asked again.

        Each event holds the whole job, so that nothing is lost or doubled by asking twice.
        """
        seen: JobView | None = None
        heard = time.monotonic()
        while seen is None or not seen.status.finished:
            try:
                async with aclosing(self._subscribe(user, job)) as views:
                    async for view in views:
                        heard = time.monotonic()
                        if view != seen:
                            seen = view
                            yield view
                fault = UpstreamError("the worker service ended the stream before the job")
            except ProdigonError as error:
                if seen is None or not error.retryable:
                    raise
                fault = UpstreamError(error.message)
            if time.monotonic() - heard > self._patience:
                raise fault
            await asyncio.sleep(RECONNECT_EVERY)

    async def _subscribe(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        parser = sse.Parser()
        chunks = self._service.stream("GET", f"/jobs/{job}/events", headers=self._as(user))
        async with aclosing(chunks):
            async for chunk in chunks:
                for event in parser.feed(chunk):
                    if event.name == "job":
                        yield JobView.model_validate(orjson.loads(event.data))
                    elif event.name == "error":
                        raise error_for(None, orjson.loads(event.data))

    @staticmethod
    def _as(user: UserId) -> dict[str, str]:
        return {USER_HEADER: str(user)}


def parse(body: bytes) -> JobView:
    return JobView.model_validate_json(body)
