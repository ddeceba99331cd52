"""The two doors of a running model service, as two carriers of one protocol."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from prodigon_lib.core.schemas.generate import GenerateRequest
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.transport.carriers import model_carrier
from prodigon_lib.transport.http import Timeouts
from prodigon_lib.transport.model import ModelClient

if TYPE_CHECKING:
    from prodigon_lib.stack import Stack
    from prodigon_lib.stack.traces import Span


@dataclass(frozen=True)
class Arrival:
    """Of a stream: seconds to its first and last token, and how many there were."""

    first: float
    last: float
    tokens: int


@asynccontextmanager
async def doors(urls: Mapping[str, str]) -> AsyncIterator[tuple[ModelClient, ModelClient]]:
    """Clients of the model service, over REST and over gRPC. Args: `urls` of a stack with `grpc=True`."""
    telemetry = Telemetry("notebook", Settings(_env_file=None, trace_file=None))
    rest, http = model_carrier((urls["model"],), telemetry, Timeouts())
    grpc, channel = model_carrier((urls["model-grpc"],), telemetry, Timeouts())
    for connection in (http, channel):
        await connection.open()
    try:
        yield rest, grpc
    finally:
        for connection in (http, channel):
            await connection.close()


def whole_trace(stack: "Stack", request_id: str, *, timeout: float = 3.0) -> "list[Span]":
    """The trace with the model's spans, which are written a moment after a call that was cut short."""
    end = time.monotonic() + timeout
    spans = stack.trace(request_id)
    while time.monotonic() < end and not any(span.service == "model" for span in spans):
        time.sleep(0.1)
        spans = stack.trace(request_id)
    return spans


async def first_tokens(
    clients: Mapping[str, ModelClient], request: GenerateRequest, *, rounds: int
) -> dict[str, Arrival]:
    """The median over each; they take turns. The first round opens the connections and is not counted."""
    found: dict[str, list[Arrival]] = {name: [] for name in clients}
    for number in range(rounds + 1):
        for name, client in clients.items():
            arrival = await arrived(client, request)
            if number:
                found[name].append(arrival)
    return {
        name: Arrival(median(each.first for each in seen), median(each.last for each in seen), seen[0].tokens)
        for name, seen in found.items()
    }


async def arrived(client: ModelClient, request: GenerateRequest) -> Arrival:
    began = time.perf_counter()
    items = client.stream(request)
    times = [time.perf_counter() - began async for item in items if isinstance(item, str)]
    return Arrival(times[0], times[-1], len(times))
