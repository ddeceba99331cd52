"""Exercise 1.2: hand on a deadline, a cancellation and a status.

A `Hop` stands between callers and a service behind it: a gateway, with room for so many streams at once.
Done when

- the budget that the service behind sees is a little smaller than the hop's own, and none when there is none;
- the model behind it makes at most two tokens more once the caller has cancelled, or its time is up;
- a stream's place is free again however the stream ended;
- the caller hears the status that ended the call behind, not one of the hop's own.
"""

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
        # TODO Give what is left of the caller's deadline, less RESERVE; `context.time_remaining()` knows it.
        return None

    async def StreamGenerate(self, request: pb.GenerateRequest, context: aio.ServicerContext) -> None:
        # TODO Give the place back, and cancel the call behind, however this ends; hand its status on.
        await self._places.acquire()
        call = self._behind.StreamGenerate(request, timeout=self.budget(context))
        async for message in call:
            await context.write(message)
        self._places.release()
