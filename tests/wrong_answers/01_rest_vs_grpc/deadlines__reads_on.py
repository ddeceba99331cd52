# fails: tokens made after the caller cancelled
import asyncio

from grpc import aio

from prodigon_lib.transport.protos import model_v1_pb2 as pb
from prodigon_lib.transport.protos.model_v1_pb2_grpc import ModelServicer, ModelStub

RESERVE = 0.05
"""Seconds that the hop keeps for itself, so that it can still answer when the call behind ran out of time."""


class Hop(ModelServicer):
    """Passes streams on. `places` is released once for each time it was acquired."""

    def __init__(self, behind: ModelStub, places: asyncio.Semaphore) -> None:
        self._behind = behind
        self._places = places

    def budget(self, context: aio.ServicerContext) -> float | None:
        """Seconds for the call behind; `None` when the caller set no deadline."""
        left = context.time_remaining()
        return None if left is None else max(0.0, left - RESERVE)

    async def StreamGenerate(self, request: pb.GenerateRequest, context: aio.ServicerContext) -> None:
        async with self._places:
            call = self._behind.StreamGenerate(request, timeout=self.budget(context))
            waiting = asyncio.Queue()

            async def read():
                try:
                    async for message in call:
                        waiting.put_nowait(message)
                    waiting.put_nowait(None)
                except aio.AioRpcError as error:
                    waiting.put_nowait(error)

            self._reading = asyncio.create_task(read())
            while (message := await waiting.get()) is not None:
                if isinstance(message, aio.AioRpcError):
                    await context.abort(message.code(), message.details() or "")
                await context.write(message)
