# fails: once each
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
        try:
            waiting.put_nowait(item.text)
        except asyncio.QueueFull:
            waiting.get_nowait()
            waiting.task_done()
            waiting.put_nowait(item.text)
        return Response(status_code=202)

    return app
