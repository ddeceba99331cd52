"""The measurements of lesson 1, on a twin that they start."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

import aiohttp
import psutil
from grpc import aio

from prodigon_lib.core import sse
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.protos import twin_v1_pb2 as pb
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.relay import Relay, relaying
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.twin import HOST, NAME
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.ways import CHANNEL, PARTS, Grpc, Parts, Rest, Way
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Answer

REST, PER_CALL, GRPC, CHANNEL_PER_CALL = (
    "REST, kept open",
    "REST, client per call",
    "gRPC, kept open",
    "gRPC, channel per call",
)
WAYS = (REST, PER_CALL, GRPC, CHANNEL_PER_CALL)
PAYLOADS = {"Chat": "chat text", "Embed": "embedding"}
STREAMED = "120 streamed tokens"


class Twin:
    """The twin's process. It ends with the block, or with this process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.twin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        ports = json.loads(self._process.stdout.readline())
        self.rest, self.grpc = int(ports["rest"]), int(ports["grpc"])
        self.process = psutil.Process(self._process.pid)

    def stop(self) -> None:
        self._process.communicate(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Twin(REST on port {self.rest}, gRPC on port {self.grpc})"


def ways(rest: int, grpc: int) -> dict[str, Way]:
    kept = {REST: Rest(rest, kept=True), GRPC: Grpc(grpc, kept=True)}
    return {**kept, PER_CALL: Rest(rest, kept=False), CHANNEL_PER_CALL: Grpc(grpc, kept=False)}


async def price(twin: Twin, *, rounds: int = 40) -> dict[str, dict[str, Parts]]:
    """The median of each part of a call, in seconds: by payload, then by way. All ways take turns.

    The first call over each way is not counted: it opens what is kept open.
    """
    called = ways(twin.rest, twin.grpc)
    found: dict[str, dict[str, list[Parts]]] = {
        payload: {way: [] for way in WAYS} for payload in PAYLOADS.values()
    }
    for number in range(rounds + 1):
        for method, payload in PAYLOADS.items():
            for way in WAYS:
                parts = await called[way].call(method, f"text {number}")
                if number:
                    found[payload][way].append(parts)
    for each in called.values():
        await each.close()
    return {
        payload: {way: middle(calls) for way, calls in by_way.items()} for payload, by_way in found.items()
    }


def middle(calls: Sequence[Parts]) -> Parts:
    return Parts(*(median(getattr(call, part) for call in calls) for part in PARTS))


def price_table(found: dict[str, dict[str, Parts]]) -> Table:
    """Milliseconds."""
    rows = [
        (payload, way, *(1000 * getattr(parts, part) for part in PARTS), 1000 * parts.total)
        for payload, by_way in found.items()
        for way, parts in by_way.items()
    ]
    return Table(["payload", "way", *PARTS, "together, ms"], rows)


async def weights(twin: Twin) -> dict[str, dict[str, int]]:
    """Bytes of one more call over a connection that has seen two: by payload, then REST and gRPC.

    A call's headers are bytes too. HTTP/2 sends again only what changed, so the first ones are not counted.
    """
    found: dict[str, dict[str, int]] = {payload: {} for payload in (*PAYLOADS.values(), STREAMED)}
    async with AsyncExitStack() as stack:
        relays = [await stack.enter_async_context(relaying(port)) for port in (twin.rest, twin.grpc)]
        kept = ways(relays[0].port, relays[1].port)
        streams = {"REST": (REST, stream_rest), "gRPC": (GRPC, stream_grpc)}
        for relay, (name, (way, stream)) in zip(relays, streams.items(), strict=True):
            for method, payload in PAYLOADS.items():
                for _ in range(3):
                    before = relay.total
                    await kept[way].call(method, "text 7")
                    found[payload][name] = await settled(relay) - before
            before = relay.total
            await stream(relay.port)
            found[STREAMED][name] = await settled(relay) - before
            await kept[way].close()
    return found


async def settled(relay: Relay) -> int:
    """Its count, once that has not changed for a moment: acknowledgements come after an answer."""
    seen = -1
    while seen != (seen := relay.total):  # noqa: ASYNC110 (a count has no event to wait for)
        await asyncio.sleep(0.05)
    return seen


async def stream_rest(port: int) -> int:
    """How many tokens came."""
    url = f"http://{HOST}:{port}/stream"
    async with aiohttp.ClientSession() as session, session.post(url, json={"text": "text 7"}) as answer:
        return (await answer.read()).count(b"data: ") - sse.DONE.count(b"data: ")


async def stream_grpc(port: int) -> int:
    async with aio.insecure_channel(f"{HOST}:{port}", options=CHANNEL) as channel:
        ask: Any = channel.unary_stream(
            f"/{NAME}/Stream",
            request_serializer=pb.Text.SerializeToString,
            response_deserializer=pb.Token.FromString,
        )
        return len([token async for token in ask(pb.Text(text="text 7"))])


@dataclass(frozen=True)
class Load:
    """One client at one number of calls in flight. Shares are of one core: 1.0 is all of it."""

    client: str
    in_flight: int
    throughput: float
    p50: float
    failed: int
    connections: int
    client_share: float
    server_share: float


CLIENTS = ("httpx", "aiohttp", "gRPC")


async def under_load(
    twin: Twin, levels: Sequence[int] = (1, 16, 64, 256), *, seconds: float = 0.7
) -> list[Load]:
    """The same chat call, from three clients in this process, at several numbers in flight."""
    found = []
    for level in levels:
        for client in CLIENTS:
            found.append(await one_load(twin, client, level, seconds))  # noqa: PERF401 (awaits in turn)
    return found


async def one_load(twin: Twin, client: str, level: int, seconds: float) -> Load:
    own = psutil.Process()
    async with AsyncExitStack() as stack:
        call = await caller(stack, twin, client)
        await call(0)
        began, before = time.perf_counter(), (busy(own), busy(twin.process))
        result = await closed_loop(call, in_flight=level, seconds=seconds)
        connections = sum(
            each.status == psutil.CONN_ESTABLISHED for each in twin.process.net_connections("tcp")
        )
        wall, after = time.perf_counter() - began, (busy(own), busy(twin.process))
    shares = [(end - start) / wall for start, end in zip(before, after, strict=True)]
    return Load(
        client,
        level,
        result.throughput,
        result.service_times().percentile(50),
        sum(result.errors.values()),
        connections,
        *shares,
    )


def busy(process: psutil.Process) -> float:
    """Seconds of a core that it has used."""
    spent = process.cpu_times()
    return float(spent.user + spent.system)


async def caller(stack: AsyncExitStack, twin: Twin, client: str) -> Callable[[int], Awaitable[Answer | None]]:
    if client == "aiohttp":
        connector = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        url = f"http://{HOST}:{twin.rest}/chat"

        async def send(number: int) -> None:
            async with session.post(url, json={"text": f"text {number}"}) as answer:
                await answer.json()

        return send
    way: Way = Rest(twin.rest, kept=True) if client == "httpx" else Grpc(twin.grpc, kept=True)
    stack.push_async_callback(way.close)

    async def through(number: int) -> None:
        await way.call("Chat", f"text {number}")

    return through


def load_table(loads: Sequence[Load]) -> Table:
    columns = [
        "client",
        "in flight",
        "calls a second",
        "p50, ms",
        "failed",
        "connections",
        "client's core",
        "server's core",
    ]
    rows = [
        (
            each.client,
            each.in_flight,
            each.throughput,
            1000 * each.p50,
            each.failed,
            each.connections,
            each.client_share,
            each.server_share,
        )
        for each in loads
    ]
    return Table(columns, rows)
