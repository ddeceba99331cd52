"""A model service over real HTTP that does as a test tells it, and notes who called."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from prodigon_lib.core import sse
from prodigon_lib.core.http.streams import disconnected
from tests.integration.gateway.fakes import TOKENS, USAGE


@dataclass
class Upstream:
    """`answer` replaces what `/inference` says; `hold` keeps both calls waiting until it is set."""

    connections: set[tuple[str, int]] = field(default_factory=set)
    headers: list[dict[str, str]] = field(default_factory=list)
    left: int = 0
    running: int = 0
    answer: Response | None = None
    hold: asyncio.Event | None = None
    cut: bool = False

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/inference", self.inference, methods=["POST"]),
                Route("/inference/stream", self.stream, methods=["POST"]),
                Route("/models", self.models),
                Route("/health/live", self.live),
                Route("/jobs/{id}", self.inference),
            ]
        )

    async def live(self, request: Request) -> Response:
        return JSONResponse({})

    async def models(self, request: Request) -> Response:
        self._note(request)
        return JSONResponse([{"id": "small", "provider": "fake"}])

    async def inference(self, request: Request) -> Response:
        self._note(request)
        await request.body()
        if self.hold is not None:
            await self._wait(request.receive)
        usage = USAGE.model_dump()
        return self.answer or JSONResponse(
            {"text": "".join(TOKENS), "model": "small", "usage": usage, "latency_ms": 1}
        )

    async def stream(self, request: Request) -> Response:
        self._note(request)
        await request.body()
        return self.answer or Streaming(self)

    async def pieces(self, receive: Receive) -> AsyncIterator[bytes]:
        yield sse.token_bytes(TOKENS[0])
        if self.hold is not None:
            await self._wait(receive)
        if self.cut:
            return
        for token in TOKENS[1:]:
            yield sse.token_bytes(token)
        yield sse.usage_bytes(USAGE)
        yield sse.DONE

    async def _wait(self, receive: Receive) -> None:
        assert self.hold is not None
        self.running += 1
        gone = asyncio.create_task(disconnected(receive))
        held = asyncio.create_task(self.hold.wait())
        try:
            await asyncio.wait((gone, held), return_when=asyncio.FIRST_COMPLETED)
            self.left += gone.done() and not held.done()
        finally:
            self.running -= 1
            gone.cancel()
            held.cancel()

    def _note(self, request: Request) -> None:
        assert request.client is not None
        self.connections.add((request.client.host, request.client.port))
        self.headers.append(dict(request.headers))


class Streaming(Response):
    """Pieces as they come; with `cut`, the connection ends before the body does."""

    def __init__(self, upstream: Upstream) -> None:
        super().__init__(media_type=sse.CONTENT_TYPE)
        self.upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for piece in self.upstream.pieces(receive):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self.upstream.cut:
            return  # the server closes the connection, as the body was not ended
        await send({"type": "http.response.body", "body": b"", "more_body": False})
