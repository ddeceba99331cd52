# fails: the contract in-process
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


class LocalJobs:
    """`Jobs` on a queue in this process."""

    def __init__(self, queue: Any) -> None:
        self.queue = queue

    async def submit(self, prompts: list[str], key: str) -> Job:
        task = self.queue.add(prompts, key)
        if task is None:
            raise JobMissing
        return Job(task.id, task.status, tuple(task.results))

    async def get(self, id: str) -> Job:
        task = self.queue.find(id)
        if task is None:
            raise JobMissing
        return Job(task.id, task.status, tuple(task.results))


class HttpJobs:
    """`Jobs` over the wire; `http` has the worker's address as its base."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def submit(self, prompts: list[str], key: str) -> Job:
        return await self._job("POST", "/tasks", {"prompts": prompts, "key": key})

    async def get(self, id: str) -> Job:
        return await self._job("GET", f"/tasks/{id}")

    async def _job(self, method: str, path: str, body: object = None) -> Job:
        try:
            answer = await self.http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise WorkerAway from error
        if answer.status_code == 404:
            raise JobMissing
        if answer.status_code == 429:
            raise QueueFull
        task = answer.raise_for_status().json()
        return Job(task["id"], task["status"], tuple(task["results"]))
