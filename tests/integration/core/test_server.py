"""How many new callers a server takes in one pass of its event loop."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from prodigon_lib.core.http.server import ACCEPTS, FairServer

CALLERS = 100


async def answers(scope: dict, receive: Callable, send: Callable) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def taken_in_each_pass(server_class: type[uvicorn.Server], tell: Callable[[bytes], None]) -> list[int]:
    """A hundred have connected before the server looks; `tell` hears what one of them is answered."""
    now, taken = 0, Counter[int]()

    class Noted(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken[now] += 1
            super().connection_made(transport)

    config = uvicorn.Config(answers, http=Noted, lifespan="off", log_config=None)
    config.load()
    server = server_class(config)
    server.lifespan = config.lifespan_class(config)
    loop = asyncio.get_running_loop()
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0), backlog=2 * CALLERS) as listener:
        callers = [
            stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(CALLERS)
        ]
        await server.startup([listener])
        while sum(taken.values()) < CALLERS and now < 10 * CALLERS:
            now += 1
            await asyncio.sleep(0)
        callers[-1].setblocking(False)
        await loop.sock_sendall(callers[-1], b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        tell(await loop.sock_recv(callers[-1], 1000))
        await server.shutdown([listener])
    return [number for _, number in sorted(taken.items())]


@pytest.mark.parametrize("kind", ["uvloop", "asyncio"])
def test_new_callers_do_not_wait_for_a_pass_each(kind: str) -> None:
    loops = pytest.importorskip(kind)
    heard: list[bytes] = []
    with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
        taken = runner.run(taken_in_each_pass(FairServer, heard.append))
    assert sum(taken) == CALLERS
    assert len(taken) <= CALLERS // ACCEPTS + 2
    assert heard[0].startswith(b"HTTP/1.1 204")


def test_why_it_is_needed() -> None:
    """When uvloop takes more by itself, ours can go."""
    loops = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
        taken = runner.run(taken_in_each_pass(uvicorn.Server, lambda _: None))
    assert taken == [1] * CALLERS
