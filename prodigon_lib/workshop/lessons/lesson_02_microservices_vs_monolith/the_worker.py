"""A small worker, whole: its queue and its HTTP face. Exercise 2.1 cuts a gateway loose from it.

Nobody but the worker should know what is in here, `Task` least of all.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


@dataclass
class Task:
    """One job, as the worker keeps it; it changes while the worker runs."""

    key: str
    prompts: list[str]
    id: str = field(default_factory=lambda: uuid4().hex)
    status: str = "pending"
    results: list[str] = field(default_factory=list)
    attempts: int = 0


class Queue:
    """Tasks in the order they came; `room` is how many may wait."""

    def __init__(self, room: int = 100) -> None:
        self.room = room
        self.tasks: dict[str, Task] = {}

    def add(self, prompts: list[str], key: str) -> Task | None:
        """The task of this key, made when there is none; `None` when there is no room for it."""
        for task in self.tasks.values():
            if task.key == key:
                return task
        if sum(task.status == "pending" for task in self.tasks.values()) >= self.room:
            return None
        task = Task(key, list(prompts))
        self.tasks[task.id] = task
        return task

    def find(self, id: str) -> Task | None:
        return self.tasks.get(id)

    def run(self) -> None:
        """Do all that waits."""
        for task in self.tasks.values():
            if task.status == "pending":
                task.attempts += 1
                task.results.extend(prompt.upper() for prompt in task.prompts)
                task.status = "completed"


def document(task: Task) -> dict[str, Any]:
    return {"id": task.id, "status": task.status, "results": task.results}


def face(queue: Queue) -> Starlette:
    """The worker over HTTP.

    POST /tasks {"prompts", "key"}: 202 {"id", "status", "results"}, or 429 when there is no room.
    GET /tasks/{id}: 200 with the same, or 404.
    """

    async def add(request: Request) -> JSONResponse:
        asked = await request.json()
        task = queue.add(asked["prompts"], asked["key"])
        return JSONResponse({}, 429) if task is None else JSONResponse(document(task), 202)

    async def find(request: Request) -> JSONResponse:
        task = queue.find(request.path_params["id"])
        return JSONResponse({}, 404) if task is None else JSONResponse(document(task))

    return Starlette(routes=[Route("/tasks", add, methods=["POST"]), Route("/tasks/{id}", find)])
