"""No 429: the answer is held back until there is room, which slows whoever waits for it."""

import asyncio
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from pydantic import BaseModel


class Item(BaseModel):
    text: str


def create_app(work, room):
    waiting = asyncio.Queue(room)

    async def run():
        while True:
            text = await waiting.get()
            await work(text)
            waiting.task_done()

    @asynccontextmanager
    async def lifespan(_):
        worker = asyncio.create_task(run())
        yield
        await waiting.join()
        worker.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.post("/items")
    async def accept(item: Item):
        await waiting.put(item.text)
        return Response(status_code=202)

    return app
