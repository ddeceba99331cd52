"""Which carrier reaches the model: the scheme of its addresses says."""

from typing import Protocol

from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.http import Identity, ServiceClient, Timeouts
from prodigon_lib.transport.metrics import UpstreamMetrics
from prodigon_lib.transport.model import HttpModelClient, ModelClient


class Connection(Protocol):
    """What a process opens at its start, closes at its end, and asks whether the service behind it lives."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def check(self) -> None:
        """Raises: UpstreamUnavailable, or another ProdigonError: the service is away."""
        ...


def model_carrier(
    urls: tuple[str, ...],
    telemetry: Telemetry,
    timeouts: Timeouts,
    *,
    resilience: Resilience | None = None,
    metrics: UpstreamMetrics | None = None,
    identity: Identity | None = None,
) -> tuple[ModelClient, Connection]:
    """A client of the model service at these addresses, which share a scheme, and its connection."""
    if urls[0].startswith("grpc://"):
        # Imported only when on: it costs memory that an idle service should not pay.
        from prodigon_lib.transport.grpc import GrpcModelClient, model_channel

        channel = model_channel(urls, telemetry, timeouts, resilience, metrics, identity)
        return GrpcModelClient(channel), channel
    service = ServiceClient(
        "model", urls, telemetry, timeouts, resilience=resilience, metrics=metrics, identity=identity
    )
    return HttpModelClient(service), service
