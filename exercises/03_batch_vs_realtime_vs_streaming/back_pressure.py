"""Exercise 3.2: an intake that says when it is full.

A service takes items over HTTP and works on them one by one, slower than they come. Done when

- no more than `room` accepted items wait, however many are sent: their texts are in memory, and memory ends;
- one too many is told so: 429 with `Retry-After`, whole seconds until there will be room, as near as you can
  say (or its answer is held back until there is room: that slows a producer who waits for answers);
- whoever was answered with 202 is served, once, also when the service is told to stop.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from pydantic import BaseModel

Work = Callable[[str], Awaitable[None]]


class Item(BaseModel):
    text: str


class Intake:
    """The items that wait, and the task that works on them."""

    def __init__(self, work: Work, room: int) -> None:
        self.work = work
        self.room = room
        self.seconds_for_one = 0.1  # the latest item's; a guess until there is one
        # TODO Give the waiting items a bound.
        self.waiting: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Work on one item after the other, until cancelled."""
        while True:
            text = await self.waiting.get()
            began = time.monotonic()
            await self.work(text)
            self.seconds_for_one = time.monotonic() - began
            self.waiting.task_done()

    async def accept(self, item: Item) -> Response:
        """202 for what will be done, 429 for what there is no room for."""
        # TODO Refuse what is one too many, and say when to come again.
        await self.waiting.put(item.text)
        return Response(status_code=202)

    async def stop(self, worker: asyncio.Task[None]) -> None:
        """Called when the service ends; no request comes after that."""
        # TODO Keep what was promised, then end the worker.
        worker.cancel()


def create_app(work: Work, room: int) -> FastAPI:
    """`POST /items` takes an item; `work` is awaited with the text of each, one at a time."""
    intake = Intake(work, room)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        worker = asyncio.create_task(intake.run())
        yield
        await intake.stop(worker)

    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/items", intake.accept, methods=["POST"])
    return app
