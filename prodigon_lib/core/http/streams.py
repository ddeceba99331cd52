"""Answers that end with their client: when it goes away, the work behind the answer is cancelled at once.

Starlette only notices on the next write, and a model may be silent for seconds between two tokens.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from prodigon_lib.core import sse
from prodigon_lib.core.context import request_id_or
from prodigon_lib.core.errors import InternalError, ProdigonError
from prodigon_lib.core.logging import get_logger
from prodigon_lib.core.time_limits import ticker_of

logger = get_logger("http")

WATCH_AFTER_SECONDS = 0.02
"""Many answers are there before; to watch costs a task, which they need not pay for."""

Result = TypeVar("Result")


class ClientDisconnected(Exception):
    """The client left before its answer was complete."""


async def disconnected(receive: Receive) -> None:
    """Returns when the client has gone. The request's body must have been read before."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_disconnected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is cancelled when the client leaves first.

    The work stays in the caller's task, as with `asyncio.timeout`: a task of its own would cost every request
    more, and what `work` closes must be closed in the task that opened it.

    Raises:
        ClientDisconnected: the client left.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    assert task is not None
    before = task.cancelling()
    watch = Watch(receive, task, loop.time() + WATCH_AFTER_SECONDS)
    ticker = ticker_of(loop)
    ticker.add(watch)
    try:
        return await work
    except asyncio.CancelledError:
        # The count tells our own cancelling from that of a server which shuts down in the same moment.
        if watch.left and task.cancelling() == before + 1:
            raise ClientDisconnected from None
        raise
    finally:
        ticker.running.discard(watch)
        watch.over()


class Watch:
    """Over one answer, from `end` of its first moments on: cancels its task when the client leaves."""

    __slots__ = ("_over", "_receive", "_task", "_watcher", "end", "left")

    def __init__(self, receive: Receive, task: asyncio.Task[Any], end: float) -> None:
        self._receive, self._task, self.end = receive, task, end
        self._watcher: asyncio.Task[None] | None = None
        self.left = self._over = False

    def reach(self) -> None:
        self._watcher = asyncio.create_task(disconnected(self._receive))
        self._watcher.add_done_callback(self._leave)

    def over(self) -> None:
        self._over = True
        if self._watcher is not None:
            self._watcher.cancel()
        if self.left:
            self._task.uncancel()

    def _leave(self, watcher: asyncio.Task[None]) -> None:
        if watcher.cancelled() or watcher.exception() is not None or self._over:
            return
        self.left = True
        self._task.cancel()


class EventStream(Response):
    """A stream of server-sent events, given as bytes.

    The first piece is awaited before the headers go out, so a fault until then is an HTTP status with the
    envelope. A later one becomes `event: error`.
    """

    media_type = sse.CONTENT_TYPE

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        headers: Mapping[str, str] | None = None,
        status_code: int = 200,
    ) -> None:
        self.chunks = chunks
        self.status_code = status_code
        self.background = None
        self.init_headers({**sse.HEADERS, **(headers or {})})

    def fault(self, error: ProdigonError) -> bytes:
        """What a fault after the first piece looks like on the wire; OpenAI's shape differs."""
        return sse.error_bytes(error, request_id_or())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await unless_disconnected(receive, self._serve(send))

    async def _serve(self, send: Send) -> None:
        try:
            first = await anext(self.chunks, b"")
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            await self._forward(first, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self.chunks.aclose()

    async def _forward(self, first: bytes, send: Send) -> None:
        chunk = first
        try:
            await send({"type": "http.response.body", "body": first, "more_body": True})
            async for chunk in self.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            return
        except ProdigonError as error:
            fault = error
        except Exception:
            logger.exception("a stream failed")
            fault = InternalError("something went wrong here")
        # What was cut inside an event must not swallow the one that says so.
        gap = b"" if chunk.endswith(b"\n\n") else b"\n\n"
        await send({"type": "http.response.body", "body": gap + self.fault(fault), "more_body": True})
