# fails: the model's budget, without a deadline
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
        return 5.0

    async def StreamGenerate(self, request: pb.GenerateRequest, context: aio.ServicerContext) -> None:
        async with self._places:
            call = self._behind.StreamGenerate(request, timeout=self.budget(context))
            try:
                async for message in call:
                    await context.write(message)
            except aio.AioRpcError as error:
                await context.abort(error.code(), error.details() or "")
            finally:
                # Without it, a hop that is cancelled while it waits in `write` leaves the call behind running
                # until the garbage collector finds it. A deadline alone would end it too, only later.
                call.cancel()
