"""One function makes a job of whatever a worker says; the carriers only fetch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


@dataclass(frozen=True)
class Job:
    """A job as it was when it was asked for."""

    id: str
    status: str
    results: tuple[str, ...]


class JobMissing(Exception):
    """There is no job of that id."""


class QueueFull(Exception):
    """The worker has no room for it."""


class WorkerAway(Exception):
    """The worker can't be reached."""


STATUS = {JobMissing: 404, QueueFull: 429, WorkerAway: 503}


class Jobs(Protocol):
    """The seam: all that a gateway knows of jobs. Raises the three faults above, and no others."""

    async def submit(self, prompts: list[str], key: str) -> Job: ...

    async def get(self, id: str) -> Job: ...


def gateway(jobs: Jobs) -> Starlette:
    """POST /jobs {"prompts", "key"} answers 202, GET /jobs/{id} 200, a fault as `STATUS` says."""

    async def submit(request: Request) -> JSONResponse:
        asked = await request.json()
        return JSONResponse(asdict(await jobs.submit(asked["prompts"], asked["key"])), 202)

    async def get(request: Request) -> JSONResponse:
        return JSONResponse(asdict(await jobs.get(request.path_params["id"])))

    async def fault(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": type(error).__name__}, STATUS[type(error)])

    routes = [Route("/jobs", submit, methods=["POST"]), Route("/jobs/{id}", get)]
    return Starlette(routes=routes, exception_handlers=dict.fromkeys(STATUS, fault))


def job_of(found: dict[str, Any] | None, otherwise: type[Exception]) -> Job:
    if found is None:
        raise otherwise
    return Job(found["id"], found["status"], tuple(found["results"]))


class LocalJobs:
    def __init__(self, queue: Any) -> None:
        self.queue = queue

    async def submit(self, prompts: list[str], key: str) -> Job:
        task = self.queue.add(prompts, key)
        return job_of(task and vars(task), QueueFull)

    async def get(self, id: str) -> Job:
        task = self.queue.find(id)
        return job_of(task and vars(task), JobMissing)


class HttpJobs:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def submit(self, prompts: list[str], key: str) -> Job:
        with reached():
            answer = await self.http.post("/tasks", json={"prompts": prompts, "key": key})
        return job_of(answer.json() or None, QueueFull)

    async def get(self, id: str) -> Job:
        with reached():
            answer = await self.http.get(f"/tasks/{id}")
        return job_of(answer.json() or None, JobMissing)


@contextmanager
def reached() -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise WorkerAway from error
