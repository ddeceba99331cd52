"""Four ways to the same handler: REST and gRPC, each over what is kept open and anew for each call.

What a call took is told in four parts, in seconds: `connect` (a client or channel made, and its connection
opened and closed), `encode` (both sides, bodies alone), `handler`, and `wire`: all the rest, with the
libraries of both sides, the kernel, and the waiting for a core.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from grpc import aio

from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.protos import twin_v1_pb2 as pb
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.twin import ENCODE, HANDLER, HOST, NAME

PARTS = ("connect", "encode", "wire", "handler")
CHANNEL = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
"""Channels of one process share connections to one address, unless they are told not to."""

REPLIES: Mapping[str, Any] = {"Chat": pb.Text, "Embed": pb.Embedding}


@dataclass(frozen=True, slots=True)
class Parts:
    """One call. Seconds."""

    connect: float
    encode: float
    wire: float
    handler: float

    @property
    def total(self) -> float:
        return self.connect + self.encode + self.wire + self.handler


class Way(ABC):
    """How calls reach the twin. `kept` says whether what it makes is kept open for the next call."""

    def __init__(self, port: int, *, kept: bool) -> None:
        self._port, self._kept = port, kept
        self._made: Any = None

    @abstractmethod
    async def make(self) -> Any:
        """A client or a channel, connected where that is a step of its own."""

    @abstractmethod
    async def unmake(self, made: Any) -> None: ...

    @abstractmethod
    async def send(self, made: Any, method: str, text: str) -> tuple[float, float, float]:
        """Seconds to connect on the way, to encode, and in the handler."""

    async def call(self, method: str, text: str) -> Parts:
        """Args: `method` of the twin, `Chat` or `Embed`."""
        began = time.perf_counter()
        made = self._made or await self.make()
        connect = time.perf_counter() - began
        connecting, encode, handler = await self.send(made, method, text)
        if self._kept:
            self._made = made
        else:
            closing = time.perf_counter()
            await self.unmake(made)
            connect += time.perf_counter() - closing
        total = time.perf_counter() - began
        connect += connecting
        return Parts(connect, encode, max(0.0, total - connect - encode - handler), handler)

    async def close(self) -> None:
        if self._made is not None:
            await self.unmake(self._made)
            self._made = None


class Rest(Way):
    async def make(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        return httpx.AsyncClient(base_url=f"http://{HOST}:{self._port}", limits=limits, timeout=30)

    async def unmake(self, made: httpx.AsyncClient) -> None:
        await made.aclose()

    async def send(self, made: httpx.AsyncClient, method: str, text: str) -> tuple[float, float, float]:
        connecting = Clock()
        encoding = Clock()
        body = encoding.timed(json.dumps, {"text": text})
        answer = await made.post(
            f"/{method.lower()}",
            content=body,
            headers={"Content-Type": "application/json"},
            extensions={"trace": connecting.on_event},
        )
        encoding.timed(json.loads, answer.content)
        encoding.seconds += float(answer.headers[ENCODE])
        return connecting.seconds, encoding.seconds, float(answer.headers[HANDLER])


class Grpc(Way):
    async def make(self) -> aio.Channel:
        channel = aio.insecure_channel(f"{HOST}:{self._port}", options=CHANNEL)
        await channel.channel_ready()
        return channel

    async def unmake(self, made: aio.Channel) -> None:
        await made.close()

    async def send(self, made: aio.Channel, method: str, text: str) -> tuple[float, float, float]:
        encoding = Clock()
        ask: Any = made.unary_unary(
            f"/{NAME}/{method}",
            request_serializer=lambda message: encoding.timed(message.SerializeToString),
            response_deserializer=lambda data: encoding.timed(REPLIES[method].FromString, data),
        )
        call = ask(pb.Text(text=text))
        await call
        spent = dict(await call.trailing_metadata() or ())
        return 0.0, encoding.seconds + float(spent[ENCODE]), float(spent[HANDLER])


class Clock:
    """Seconds of several short pieces of work."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0

    def timed(self, work: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*arguments)
        finally:
            self.seconds += time.perf_counter() - began

    async def on_event(self, name: str, _: object) -> None:
        """As httpx tells of its connections."""
        if name == "connection.connect_tcp.started":
            self._began = time.perf_counter()
        elif name == "connection.connect_tcp.complete":
            self.seconds += time.perf_counter() - self._began
