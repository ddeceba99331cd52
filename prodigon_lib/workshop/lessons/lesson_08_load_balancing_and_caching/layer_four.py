"""Calls through a balancer that knows connections only: over HTTP/1.1, over gRPC, and over gRPC dealt out."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
from aiohttp import ClientSession, web
from grpc import aio

from prodigon_lib.stack.ports import HOST
from prodigon_lib.workshop.comparison_plots import stacked_bars
from prodigon_lib.workshop.picture import Picture

CALLS, AT_ONCE, REPLICAS = 90, 9, 3
METHOD = "/lesson.Echo/Say"
PIECE = 64 * 1024

Counts = Counter[str]


async def three_ways() -> dict[str, Counts]:
    """Ninety calls each way to three replicas of one service; how many each replica got."""
    counts = {
        way: Counter[str]()
        for way in ("HTTP/1.1, balanced", "gRPC, balanced", "gRPC, dealt out by the caller")
    }
    http, grpc_balanced, dealt_out = counts
    async with AsyncExitStack() as ends:
        pages = [await ends.enter_async_context(page(name, counts[http])) for name in names()]
        await ask_over_http(await ends.enter_async_context(layer_four(pages)))
        for way in (grpc_balanced, dealt_out):
            services = [await ends.enter_async_context(service(name, counts[way])) for name in names()]
            places = services
            if way == grpc_balanced:
                places = [await ends.enter_async_context(layer_four(services))]
            await ask_over_grpc(places)
    return counts


def names() -> list[str]:
    return [f"replica {number}" for number in range(1, REPLICAS + 1)]


@asynccontextmanager
async def layer_four(targets: Sequence[int]) -> AsyncIterator[int]:
    """A balancer of connections: each new one goes to the next target, with all its bytes; its port."""
    turn = 0
    under_way: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        target = targets[turn % len(targets)]
        turn += 1
        there, back = await asyncio.open_connection(HOST, target)
        try:
            await asyncio.gather(pass_on(reader, back), pass_on(there, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            back.close()
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(carry(reader, writer))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    server = await asyncio.start_server(accept, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(PIECE):
        target.write(piece)
        await target.drain()
    target.close()


@asynccontextmanager
async def page(name: str, counts: Counts) -> AsyncIterator[int]:
    """A replica over HTTP/1.1."""

    async def say(_: web.Request) -> web.Response:
        counts[name] += 1
        await asyncio.sleep(0.001)
        return web.Response(text=name)

    app = web.Application()
    app.router.add_get("/", say)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def service(name: str, counts: Counts) -> AsyncIterator[int]:
    """A replica over gRPC."""

    async def say(_: bytes, __: object) -> bytes:
        counts[name] += 1
        await asyncio.sleep(0.001)
        return name.encode()

    server = aio.server()
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(say)
    _, path, method = METHOD.split("/")
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(path, {method: handler})])
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def ask_over_http(port: int) -> None:
    numbers = iter(range(CALLS))

    async def caller(session: ClientSession) -> None:
        for _ in numbers:
            async with session.get(f"http://{HOST}:{port}/") as response:
                await response.read()

    async with ClientSession() as session:
        await asyncio.gather(*(caller(session) for _ in range(AT_ONCE)))


async def ask_over_grpc(ports: Sequence[int]) -> None:
    """One channel an address, as each client keeps it; with several, calls take turns."""
    async with AsyncExitStack() as ends:
        channels = [await ends.enter_async_context(aio.insecure_channel(f"{HOST}:{port}")) for port in ports]
        numbers = iter(range(CALLS))

        async def caller() -> None:
            for number in numbers:
                call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channels[
                    number % len(channels)
                ].unary_unary(METHOD)
                await call(b"")

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))


def three_ways_plot(counts: Mapping[str, Counts]) -> Picture:
    rows = {way: {name: float(found[name]) for name in names()} for way, found in counts.items()}
    return stacked_bars(rows, unit="calls", title="Which replica the calls went to")
