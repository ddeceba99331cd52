"""A gateway that answers every question with a text of the test's, at a pace of the test's."""

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from aiohttp import web

from prodigon_lib.core import sse
from prodigon_lib.core.schemas.generate import Usage


class ChatGateway:
    """One session, kept in memory. `tokens` go out one by one, `per_second` of them."""

    def __init__(self, tokens: Sequence[str], per_second: float) -> None:
        self.tokens, self.per_second = tokens, per_second
        self.session = {
            "id": str(uuid4()), "title": "New Chat", "system_prompt": None, "message_count": 0,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        }  # fmt: skip
        self.app = web.Application()
        path = "/api/v1/chat/sessions"
        self.app.add_routes(
            [
                web.get("/health/ready", self.ready),
                web.get(path, self.sessions),
                web.post(path, self.create),
                web.get(path + "/{id}", self.one),
                web.post(path + "/{id}/stream", self.turn),
            ]
        )

    async def ready(self, _: web.Request) -> web.Response:
        known = {"status": "ready", "service": "gateway", "version": "0", "environment": "test"}
        return web.json_response({**known, "failing": {}})

    async def sessions(self, _: web.Request) -> web.Response:
        return web.json_response([])

    async def create(self, _: web.Request) -> web.Response:
        return web.json_response(self.session, status=201)

    async def one(self, _: web.Request) -> web.Response:
        return web.json_response({**self.session, "messages": []})

    async def turn(self, request: web.Request) -> web.StreamResponse:
        ids = {"X-User-Message-ID": str(uuid4()), "X-Assistant-Message-ID": str(uuid4())}
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", **ids})
        await answer.prepare(request)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for place, token in enumerate(self.tokens):
            await asyncio.sleep(began + place / self.per_second - loop.time())
            await answer.write(b"data: " + json.dumps(token).encode() + b"\n\n")
        count = len(self.tokens)
        await answer.write(
            sse.usage_bytes(Usage(prompt_tokens=1, completion_tokens=count, total_tokens=count + 1))
        )
        await answer.write(sse.DONE)
        return answer


@contextmanager
def chat_gateway(tokens: Sequence[str], per_second: float) -> Iterator[str]:
    """Its base URL; it runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, int]:
        runner = web.AppRunner(ChatGateway(tokens, per_second).app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, runner.addresses[0][1]

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
