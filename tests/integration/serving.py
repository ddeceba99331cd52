"""A service under a real server, in this process, on a free port of loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from tests.polling import eventually


@asynccontextmanager
async def serving(app: Any, *, port: int = 0, **options: Any) -> AsyncIterator[str]:
    """Serve `app` with uvicorn, and other `options` of it, while the block runs; gives its base URL."""
    listener = listen(port)
    ours = {"log_config": None, "access_log": False, "timeout_graceful_shutdown": 2}
    config = uvicorn.Config(app, **{**ours, **options})
    server = uvicorn.Server(config)
    server.capture_signals = no_signals  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await eventually(lambda: server.started or task.done())
        if task.done():
            task.result()
            raise AssertionError("the service did not start")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


def listen(port: int) -> socket.socket:
    """On loopback, with the protocol named: only then does asyncio turn Nagle's delay of 40 ms off."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def no_signals() -> Any:
    """The test runner keeps its own signal handlers."""
    from contextlib import nullcontext

    return nullcontext()
