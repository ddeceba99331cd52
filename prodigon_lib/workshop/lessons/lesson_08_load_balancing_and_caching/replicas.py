"""Three small services for a balancer's configuration to stand before, and the nginx that reads it."""

import asyncio
import contextlib
import random
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import ports
from prodigon_lib.stack.nginx.binary import find_nginx
from prodigon_lib.stack.nginx.config import of_a_stack
from prodigon_lib.workshop.checks import Lacking

EVENTS, EVENT_SECONDS = 8, 0.1
READY_SECONDS = 10.0
LISTEN = 9000


class Refused(Exception):
    """nginx does not start with this configuration; the message is its own."""


class Replica:
    """A service in this process: it takes `seconds` for an answer, and keeps what it received.

    `received` counts each request by its path, `working` by its method those that it works on now; `told` is
    the X-Forwarded-For of the last one.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.leaving = False
        self.received: Counter[str] = Counter()
        self.working: Counter[str] = Counter()
        self.told: list[str] = []
        self.port = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Replica"]:
        app = web.Application()
        app.router.add_get("/events", self._events)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        assert runner.server is not None
        self._connections = runner.server
        listener = ports.listen(0)
        self.port = listener.getsockname()[1]
        self._listening = await asyncio.get_running_loop().create_server(runner.server, sock=listener)
        try:
            yield self
        finally:
            self._listening.close()
            await runner.cleanup()

    def kill(self) -> None:
        """As a crash would: nobody listens any more, and what was under way is reset."""
        self._listening.close()
        for connection in self._connections.connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def _answer(self, request: web.Request) -> web.Response:
        if self.leaving:
            return web.Response(status=503)
        self.received[request.path] += 1
        self.told = request.headers.getall("X-Forwarded-For", [])
        self.working[request.method] += 1
        try:
            await asyncio.sleep(self.seconds * random.uniform(0.5, 1.5))  # so that requests come in no waves
        finally:
            self.working[request.method] -= 1
        return web.Response(text="ok")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Of a known length: what comes in chunks, nginx lets through even while it collects answers."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.content_length = EVENTS * len(b"data: 0\n\n")
        await response.prepare(request)
        for number in range(EVENTS):
            await asyncio.sleep(EVENT_SECONDS)  # first of all: nginx lets through what comes with the headers
            await response.write(f"data: {number}\n\n".encode())
        return response


@asynccontextmanager
async def balanced(
    text: str, folder: Path, seconds: Sequence[float]
) -> AsyncIterator[tuple[str, list[Replica]]]:
    """The URL of an nginx with this configuration, and the replicas behind it.

    Raises:
        Refused: nginx does not take the configuration, or does not answer.
        Lacking: there is no nginx on this machine.
    """
    try:
        program = find_nginx()
    except StackError as error:
        raise Lacking("nginx", error.message) from None
    async with AsyncExitStack() as ends:
        replicas = [await ends.enter_async_context(Replica(each).open()) for each in seconds]
        with ports.listen(0) as held:
            own = held.getsockname()[1]
        addresses = {LISTEN: own} | {
            LISTEN + place: replica.port for place, replica in enumerate(replicas, start=1)
        }
        config = folder / "nginx.conf"
        config.write_text(whole(placed(text, addresses), folder), encoding="utf-8")
        nginx = await ends.enter_async_context(running(program, config, own))
        yield nginx, replicas


def placed(text: str, addresses: Mapping[int, int]) -> str:
    """With real ports in place of those that the exercise names."""
    for named, real in addresses.items():
        text = text.replace(f"127.0.0.1:{named}", f"127.0.0.1:{real}")
    return text


def whole(http: str, folder: Path) -> str:
    """A configuration around what stands in its `http` block."""
    around = of_a_stack(folder, folder / "access.log")
    main = "\n".join(around.main)
    within = "\n".join((*around.http, "access_log off;", http))
    return f"{main}\ndaemon off;\nevents {{ worker_connections 512; }}\nhttp {{\n{within}\n}}\n"


@asynccontextmanager
async def running(program: Path, config: Path, port: int) -> AsyncIterator[str]:
    """nginx, until the block ends."""
    command = [str(program), "-p", str(config.parent), "-e", "stderr", "-c", str(config)]
    errors = config.with_name("errors.log")
    with errors.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + READY_SECONDS
        while not await listens(port):
            if process.returncode is not None or time.monotonic() > end:
                said = errors.read_text(errors="replace").replace(f"{config.parent}/", "").strip()
                raise Refused(said or "it does not listen at 127.0.0.1:9000")
            await asyncio.sleep(0.02)
        yield f"http://{ports.HOST}:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(ports.HOST, port)
    except OSError:
        return False
    writer.close()
    return True
