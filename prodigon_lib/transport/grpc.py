"""The model over gRPC: `ModelClient` on a `ServiceChannel`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from prodigon_lib.core import sse
from prodigon_lib.core.context import request_id_or
from prodigon_lib.core.errors import ProdigonError, UpstreamError
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, ModelCard, Usage
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.grpc_channel import ServiceChannel
from prodigon_lib.transport.http import Identity, Timeouts
from prodigon_lib.transport.metrics import UpstreamMetrics
from prodigon_lib.transport.model_messages import from_request, to_cards, to_response, to_usage
from prodigon_lib.transport.protos import model_v1_pb2 as pb
from prodigon_lib.transport.protos.model_v1_pb2_grpc import ModelStub


def model_channel(
    urls: tuple[str, ...],
    telemetry: Telemetry,
    timeouts: Timeouts,
    resilience: Resilience | None = None,
    metrics: UpstreamMetrics | None = None,
    identity: Identity | None = None,
) -> ServiceChannel:
    return ServiceChannel(
        "model",
        urls,
        ModelStub,
        telemetry,
        timeouts,
        resilience=resilience,
        metrics=metrics,
        identity=identity,
    )


class GrpcModelClient:
    """`ModelClient` over gRPC.

    The `forward` calls translate, both ways: JSON is what a gateway's callers speak. Over HTTP they need not.
    """

    def __init__(self, channel: ServiceChannel) -> None:
        self._channel = channel

    async def forward(self, body: bytes) -> bytes:
        answer = await self.generate(GenerateRequest.model_validate_json(body))
        return answer.model_dump_json().encode()

    async def forward_stream(self, body: bytes) -> AsyncGenerator[bytes]:
        begun = False
        try:
            async with aclosing(self.stream(GenerateRequest.model_validate_json(body))) as items:
                async for item in items:
                    if isinstance(item, Usage):
                        yield sse.usage_bytes(item) + sse.DONE
                    else:
                        yield sse.token_bytes(item)
                    begun = True
        except ProdigonError as error:
            if not begun:
                raise
            yield sse.error_bytes(error, request_id_or())

    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        return to_response(await self._channel.unary("Generate", from_request(request), retry=True))

    async def stream(self, request: GenerateRequest) -> AsyncGenerator[str | Usage]:
        whole = False
        async with aclosing(self._channel.stream("StreamGenerate", from_request(request))) as messages:
            async for message in messages:
                match message.WhichOneof("item"):
                    case "token":
                        yield message.token
                    case "usage":
                        whole = True
                        yield to_usage(message.usage)
                    case _:  # the opening, and what a newer service may add
                        pass
        if not whole:
            raise UpstreamError("the stream ended before it was complete")

    async def models(self) -> list[ModelCard]:
        return to_cards(await self._channel.unary("ListModels", pb.ListModelsRequest(), retry=True))
