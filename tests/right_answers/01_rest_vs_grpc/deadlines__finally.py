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
        await self._places.acquire()
        call = None
        try:
            call = self._behind.StreamGenerate(request, timeout=self.budget(context))
            while (message := await call.read()) is not aio.EOF:
                await context.write(message)
        except aio.AioRpcError as error:
            context.set_code(error.code())
            context.set_details(error.details())
        finally:
            if call is not None:
                call.cancel()
            self._places.release()
