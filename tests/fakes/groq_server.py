"""A server that speaks Groq's wire format, on loopback, and fails on demand.

    async with groq_server() as groq:
        groq.fault = Fault(status=429, headers={"retry-after": "2"})
        ... AsyncGroq(base_url=groq.url, api_key=GOOD_KEY)

The same routes stand under `/openai/v1` (Groq) and `/v1` (OpenAI-compatible servers).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

GOOD_KEY = "gsk_good"
TOKENS = ["Hel", "lo", " wor", "ld", "."]
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
LIMITS = {"x-ratelimit-limit-requests": "14400", "x-ratelimit-remaining-tokens": "17997"}


@dataclass
class Fault:
    """What the next answers do. `hang` never answers; `cut_after` breaks a stream after so many tokens."""

    status: int = 200
    code: str = "some_error"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    cut_after: int | None = None
    stall_after: int | None = None
    garbage: bytes | None = None
    error_event: bool = False
    only: str | None = None
    """A model's name: others are answered as usual."""
    says: str = "the server's own words"


class GroqServer:
    """What was asked of it, and what it is to do next."""

    def __init__(self) -> None:
        self.url = ""
        self.fault = Fault()
        self.keys = {GOOD_KEY}
        """Those that it takes."""
        self.bodies: list[dict[str, Any]] = []
        self.open_calls = 0

    @property
    def models_asked(self) -> list[str]:
        return [body["model"] for body in self.bodies]

    async def complete(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.keys:
            return refused(401, "invalid_api_key")
        body = await request.json()
        self.bodies.append(body)
        fault = self.fault if self.fault.only in (None, body["model"]) else Fault()
        self.open_calls += 1
        try:
            return await self._answer(request, body, fault)
        finally:
            self.open_calls -= 1

    async def _answer(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        if fault.hang:
            await asyncio.Event().wait()
        if fault.status != 200:
            return refused(fault.status, fault.code, fault.headers, fault.says)
        if fault.garbage is not None:
            return web.Response(body=fault.garbage, content_type="application/json")
        if body.get("stream"):
            return await self._stream(request, body, fault)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": "".join(TOKENS)},
            "finish_reason": "stop",
        }
        answer = {**head(body, "chat.completion"), "choices": [choice], "usage": USAGE}
        return web.json_response(answer, headers=LIMITS)

    async def _stream(self, request: web.Request, body: dict[str, Any], fault: Fault) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **LIMITS})
        await response.prepare(request)
        for number, token in enumerate(TOKENS):
            if number == fault.cut_after:
                assert request.transport is not None
                request.transport.abort()
                return response
            if number == fault.stall_after:
                await asyncio.Event().wait()
            await response.write(event({**head(body, "chat.completion.chunk"), "choices": [delta(token)]}))
        if fault.error_event:
            await response.write(event({"error": {"message": "it broke", "type": "internal_server_error"}}))
            return response
        last = {**head(body, "chat.completion.chunk"), "choices": [delta(None, "stop")]}
        await response.write(event({**last, "usage": USAGE, "x_groq": {"id": "req_1", "usage": USAGE}}))
        await response.write(b"data: [DONE]\n\n")
        return response

    async def models(self, _: web.Request) -> web.Response:
        names = ["llama-3.3-70b-versatile", "llama-3.1-8b-instant"]
        listed = [{"id": name, "object": "model", "created": 1, "owned_by": "Meta"} for name in names]
        return web.json_response({"object": "list", "data": listed})


def head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body["model"]}


def delta(content: str | None, finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish}


def event(document: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def refused(
    status: int, code: str, headers: dict[str, str] | None = None, says: str = Fault.says
) -> web.Response:
    error = {"message": says, "type": "invalid_request_error", "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)


@asynccontextmanager
async def groq_server() -> AsyncIterator[GroqServer]:
    server = GroqServer()
    app = web.Application()
    for prefix in ("/openai/v1", "/v1"):
        app.router.add_post(f"{prefix}/chat/completions", server.complete)
        app.router.add_get(f"{prefix}/models", server.models)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
