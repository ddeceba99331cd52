"""A replica that writes down each request as soon as it is there."""

import asyncio
import os

from aiohttp import web

RECORD = web.AppKey("record", int)
SECONDS = web.AppKey("seconds", float)
PORT = web.AppKey("port", int)
TOLD = (
    "Host",
    "X-Request-ID",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Real-IP",
    "Forwarded",
    "traceparent",
)
LARGE = 32 * 1024 * 1024


async def answer(request: web.Request) -> web.Response:
    """After so many seconds; says what it was told of the client. With `X-Break` it breaks off instead."""
    body = await request.read()
    received = request.headers.get("X-Request-ID", "-")
    os.write(request.app[RECORD], f"{received} {request.path} {len(body)}\n".encode())
    assert request.transport is not None
    if "X-Break" in request.headers:
        request.transport.abort()
    if request.path != "/ready":
        await asyncio.sleep(request.app[SECONDS])
    told = {name: request.headers.getall(name, []) for name in TOLD}
    caller = request.transport.get_extra_info("peername")
    return web.json_response({"told": told, "size": len(body), "port": request.app[PORT], "caller": caller})


async def stream(request: web.Request) -> web.StreamResponse:
    """Ten events, a tenth of a second apart, of a known length: in chunks nginx would not collect them."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-cache"}
    )
    response.content_length = 10 * len(b"data: 0\n\n")
    await response.prepare(request)
    for number in range(10):
        await asyncio.sleep(0.1)
        await response.write(f"data: {number}\n\n".encode())
    return response


async def large(request: web.Request) -> web.Response:
    """More than all sockets on the way hold."""
    return web.Response(body=bytes(LARGE))


def serve(port: int, file: str, seconds: float) -> None:
    app = web.Application(client_max_size=1 << 30, handler_args={"max_field_size": 16_384})
    app[RECORD] = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    app[SECONDS], app[PORT] = seconds, port
    app.router.add_route("*", "/inference/stream", stream)
    app.router.add_get("/large", large)
    app.router.add_route("*", "/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)
