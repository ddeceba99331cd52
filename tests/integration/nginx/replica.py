"""A replica that writes down each request as soon as it is there: `python -m … PORT FILE SECONDS`."""

import asyncio
import os
import sys

from aiohttp import web

RECORD = web.AppKey("record", int)


async def answer(request: web.Request) -> web.Response:
    """After so many seconds; says what it was told of the client."""
    body = await request.read()
    received = request.headers.get("X-Request-ID", "-")
    os.write(request.app[RECORD], f"{received} {request.path} {len(body)}\n".encode())
    await asyncio.sleep(float(sys.argv[3]))
    told = {
        name: request.headers.getall(name, []) for name in ("X-Forwarded-For", "Forwarded", "traceparent")
    }
    return web.json_response({"told": told, "size": len(body), "port": int(sys.argv[1])})


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


def main() -> None:
    app = web.Application(client_max_size=1 << 30)
    app[RECORD] = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    app.router.add_route("*", "/inference/stream", stream)
    app.router.add_route("*", "/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
