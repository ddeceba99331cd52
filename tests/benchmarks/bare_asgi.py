"""Gateways with nothing in them: what Python under an ASGI server reaches at best.

Each does what no gateway can avoid: reads the body, parses it to learn whether it is a stream, puts in its
own key, forwards, copies status and type, and notices a client that goes away. No validation, log or metric.

    UPSTREAM=http://127.0.0.1:9100 uvicorn tests.benchmarks.bare_asgi:aiohttp_app
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import orjson

from tests.benchmarks.bare_client import BareClient

UPSTREAM = os.environ.get("UPSTREAM", "http://127.0.0.1:9100")
HEADERS = {"content-type": "application/json", "authorization": "Bearer sk-upstream"}
POOL_LIMIT = 1000


class PassThrough:
    """An ASGI application; a subclass says how it forwards.

    `stream` gives status and type first, then the bytes.
    """

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def whole(self, path: str, body: bytes) -> tuple[int, bytes, bytes]: ...
    def stream(self, path: str, body: bytes) -> AsyncGenerator[Any]: ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        path, body = scope["path"], await read(receive)
        if orjson.loads(body).get("stream"):
            return await self._answer_stream(path, body, receive, send)
        status, kind, answer = await self.whole(path, body)
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        return await send({"type": "http.response.body", "body": answer})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        await self.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer_stream(self, path: str, body: bytes, receive: Any, send: Any) -> None:
        pump = asyncio.ensure_future(self._pump(path, body, send))
        watch = asyncio.ensure_future(receive())
        await asyncio.wait((pump, watch), return_when=asyncio.FIRST_COMPLETED)
        if not pump.done():
            pump.cancel()
        watch.cancel()
        await asyncio.gather(pump, return_exceptions=True)

    async def _pump(self, path: str, body: bytes, send: Any) -> None:
        chunks = self.stream(path, body)
        try:
            status, kind = await anext(chunks)
            headers = [(b"content-type", kind), (b"cache-control", b"no-cache")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await chunks.aclose()


class ByAiohttp(PassThrough):
    async def open(self) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=POOL_LIMIT),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=60),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        await self.session.close()

    async def whole(self, path: str, body: bytes) -> tuple[int, bytes, bytes]:
        async with self.session.post(UPSTREAM + path, data=body, headers=HEADERS) as response:
            return response.status, response.headers["content-type"].encode(), await response.read()

    async def stream(self, path: str, body: bytes) -> AsyncGenerator[Any]:
        async with self.session.post(UPSTREAM + path, data=body, headers=HEADERS) as response:
            yield response.status, response.headers["content-type"].encode()
            async for chunk in response.content.iter_any():
                yield chunk


class ByBareClient(PassThrough):
    async def open(self) -> None:
        self.client = BareClient(UPSTREAM)

    async def whole(self, path: str, body: bytes) -> tuple[int, bytes, bytes]:
        return await self.client.whole(path, body)

    def stream(self, path: str, body: bytes) -> AsyncGenerator[Any]:
        return self.client.stream(path, body)


async def read(receive: Any) -> bytes:
    message = await receive()
    if not message.get("more_body"):
        return bytes(message.get("body", b""))
    parts = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


aiohttp_app, raw_app = ByAiohttp(), ByBareClient()
