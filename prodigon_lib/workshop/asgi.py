"""Asks an ASGI application directly: no server, no socket, and every message in sight.

What a server hides can be seen from here: whether the answer went out before or after something happened,
and what an application does when its client leaves.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

VERSIONS = {"version": "3.0", "spec_version": "2.3"}
DISCONNECTED = {"type": "http.disconnect"}


@dataclass
class Reply:
    """What came back. `status` is 0 when nothing did; `error` is what the application raised."""

    status: int = 0
    body: bytes = b""
    error: Exception | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def said(self) -> str:
        """The status, and beside it the error that caused it."""
        return f"{self.status}" + (
            f" ({type(self.error).__name__}: {self.error})" if self.error is not None else ""
        )


@dataclass(frozen=True)
class Direct:
    """The way to one application that has started. `state` is what its lifespan left for requests."""

    app: ASGIApp
    state: dict[str, Any] = field(default_factory=dict)

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        on_start: Callable[[int], None] | None = None,
        leave_after: int | None = None,
    ) -> Reply:
        """One request. What the application raises is in the reply; a cancelled call cancels the application.

        Args:
            body: sent as JSON; bytes as they are.
            on_start: called with the status in the moment the answer begins.
            leave_after: the client leaves after so many pieces of the body.
        """
        reply, pieces, left = Reply(), 0, asyncio.Event()
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = [{"type": "http.request", "body": sent}]

        async def receive() -> Message:
            if request:
                return request.pop()
            await left.wait()
            return DISCONNECTED

        async def send(message: Message) -> None:
            nonlocal pieces
            if left.is_set():
                return
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
                if on_start is not None:
                    on_start(reply.status)
                return
            reply.body += message.get("body", b"")
            pieces += 1
            if pieces == leave_after or not message.get("more_body"):
                left.set()
            await asyncio.sleep(0)  # a socket would let others run here

        try:
            await self.app(self._scope(method, path, headers or {}), receive, send)
        except Exception as error:
            reply.error = error
        return reply

    def _scope(self, method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
        given = {"host": "127.0.0.1", "content-type": "application/json", **headers}
        return {
            "type": "http",
            "asgi": VERSIONS,
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": dict(self.state),
        }


@asynccontextmanager
async def started(app: ASGIApp) -> AsyncIterator[Direct]:
    """The application between its start and its end, as a server's process has it.

    Raises:
        Exception: what its lifespan raised, at the start or at the end.
    """
    orders: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    state: dict[str, Any] = {}
    scope = {"type": "lifespan", "asgi": VERSIONS, "state": state}

    async def live() -> None:
        try:
            await app(scope, orders.get, answers.put)
        finally:
            await answers.put({"type": "ended"})

    life = asyncio.create_task(live())
    await orders.put({"type": "lifespan.startup"})
    if (await answers.get())["type"] != "lifespan.startup.complete":
        await life
        raise RuntimeError("the application did not start")
    try:
        yield Direct(app, state)
    finally:
        await orders.put({"type": "lifespan.shutdown"})
        await life
