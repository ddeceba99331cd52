"""Serves a lesson's application on loopback: from a thread with an event loop of its own, or on this loop."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn

from prodigon_lib.workshop.faults import WorkshopError

START_SECONDS = 10.0
POLL = 0.005


@dataclass(frozen=True)
class Served:
    """Where the application answers, and the loop that it runs on."""

    url: str
    loop: asyncio.AbstractEventLoop


@contextmanager
def serve(app: Any) -> Iterator[Served]:
    """Serve `app` on a free port while the block runs; its lifespan begins and ends with the block.

    Raises:
        WorkshopError: it did not start.
    """
    loop, listener = asyncio.new_event_loop(), listen()
    config = uvicorn.Config(
        app, lifespan="on", log_config=None, access_log=False, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)

    def run() -> None:
        asyncio.set_event_loop(loop)
        with suppress(SystemExit):  # how uvicorn says that the lifespan failed, after logging why
            loop.run_until_complete(server.serve(sockets=[listener]))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())

    thread = threading.Thread(target=run, name="served", daemon=True)
    thread.start()
    try:
        wait_until_started(server, thread)
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", loop)
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listener.close()
        if not thread.is_alive():
            loop.close()


def wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    end = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > end:
            raise WorkshopError("the application did not start; its own error stands above")
        time.sleep(POLL)


class GuestServer(uvicorn.Server):
    """A server that leaves the signals to whoever owns the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """The base URL of `app` while the block runs; on the loop of the caller, whose clients it may use.

    Raises:
        WorkshopError: it did not start.
    """
    with listen() as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        server = GuestServer(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                if task.done():
                    raise WorkshopError("the application did not start; its own error stands above")
                await asyncio.sleep(POLL)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


def listen() -> socket.socket:
    """On loopback, with the protocol named: only then does asyncio turn Nagle's delay of 40 ms off."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    return listener
