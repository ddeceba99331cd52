"""A servicer under check, behind a real gRPC server: what it raises is kept, whatever its shape."""

import inspect
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from grpc import StatusCode, aio

from prodigon_lib.transport.protos.model_v1_pb2_grpc import (
    ModelServicer,
    ModelStub,
    add_ModelServicer_to_server,
)


class Watched(ModelServicer):
    """Passes calls on to a servicer. `budgets` has each call's remaining time, `raised` what it raised."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.raised: list[Exception] = []
        self.budgets: list[float | None] = []

    async def Generate(self, request: Any, context: Any) -> Any:  # noqa: N802 (named by the .proto)
        return await self._kept(self._inner.Generate(request, context), context)

    async def StreamGenerate(self, request: Any, context: Any) -> None:  # noqa: N802
        self.budgets.append(context.time_remaining())
        await self._kept(self._inner.StreamGenerate(request, context), context)

    async def _kept(self, answer: Any, context: Any) -> Any:
        try:
            if hasattr(answer, "__aiter__"):
                async with aclosing(answer):
                    async for message in answer:
                        await context.write(message)
                return None
            return await answer if inspect.isawaitable(answer) else answer
        except (aio.AbortError, aio.AioRpcError):
            raise
        except Exception as error:
            self.raised.append(error)
            await context.abort(StatusCode.UNKNOWN, f"{type(error).__name__}: {error}")

    def raise_what_was_raised(self) -> None:
        """So that the report shows the line: over the wire there is only a status."""
        if self.raised:
            raise self.raised[0]


@asynccontextmanager
async def serving(servicer: Any) -> AsyncIterator[ModelStub]:
    """A stub of a server on a port of loopback, while the block runs."""
    server = aio.server()
    add_ModelServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with aio.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]
        ) as channel:
            yield ModelStub(channel)
    finally:
        await server.stop(0.5)
