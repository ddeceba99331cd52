"""Batch jobs, as the gateway sees them, and their HTTP carrier."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

import orjson

from prodigon_lib.core import sse
from prodigon_lib.core.ids import JobId, UserId
from prodigon_lib.core.schemas.jobs import JobStatus, JobSubmission, JobView
from prodigon_lib.transport.http import ServiceClient

USER_HEADER = "X-User-ID"
IDEMPOTENCY_HEADER = "Idempotency-Key"


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
    """`JobsClient` over HTTP."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def submit(self, user: UserId, submission: JobSubmission, idempotency_key: str | None) -> JobView:
        headers = self._as(user)
        if idempotency_key is not None:
            headers[IDEMPOTENCY_HEADER] = idempotency_key
        body = submission.model_dump_json(exclude_none=True).encode()
        return parse(await self._service.request("POST", "/jobs", body=body, headers=headers))

    async def get(self, user: UserId, job: JobId) -> JobView:
        return parse(await self._service.request("GET", f"/jobs/{job}", headers=self._as(user)))

    async def page(
        self, user: UserId, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> JobPage:
        query = {"limit": limit, "status": status, "cursor": cursor}
        path = "/jobs?" + urlencode({name: value for name, value in query.items() if value is not None})
        document = await self._service.json("GET", path, headers=self._as(user))
        return JobPage([JobView.model_validate(job) for job in document["jobs"]], document["next_cursor"])

    async def cancel(self, user: UserId, job: JobId) -> JobView:
        return parse(await self._service.request("POST", f"/jobs/{job}/cancel", headers=self._as(user)))

    async def retry(self, user: UserId, job: JobId) -> JobView:
        return parse(await self._service.request("POST", f"/jobs/{job}/retry", headers=self._as(user)))

    async def events(self, user: UserId, job: JobId) -> AsyncGenerator[JobView]:
        parser = sse.Parser()
        chunks = self._service.stream("GET", f"/jobs/{job}/events", headers=self._as(user))
        async with aclosing(chunks):
            async for chunk in chunks:
                for event in parser.feed(chunk):
                    if event.name == "job":
                        yield JobView.model_validate(orjson.loads(event.data))

    @staticmethod
    def _as(user: UserId) -> dict[str, str]:
        return {USER_HEADER: str(user)}


def parse(body: bytes) -> JobView:
    return JobView.model_validate_json(body)
