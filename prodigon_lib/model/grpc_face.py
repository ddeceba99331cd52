"""The model service over gRPC: the same calls, checks and answers as `/inference`, and one server for them.

Imported only when `MODEL_GRPC_PORT` is set: gRPC costs memory that an idle service should not pay.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from prodigon_lib.core.context import request_id_or
from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.http.application import Service
from prodigon_lib.core.schemas.generate import Usage
from prodigon_lib.model.inference import MODEL_HEADER, own_headers
from prodigon_lib.model.providers.base import Opening, StreamItem
from prodigon_lib.model.providers.simulated.caller import bearer_key, calling_with
from prodigon_lib.model.rpc import REQUEST_ID, Context, Rpcs
from prodigon_lib.model.service import ModelService
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.transport.model_messages import from_cards, from_response, from_usage, to_request
from prodigon_lib.transport.protos import model_v1_pb2 as pb
from prodigon_lib.transport.protos.model_v1_pb2_grpc import ModelServicer, add_ModelServicer_to_server

if TYPE_CHECKING:
    from prodigon_lib.security.service_tokens import KnownServices

FULL_NAME = pb.DESCRIPTOR.services_by_name["Model"].full_name


class ModelFace(ModelServicer):
    """Answers the calls of `model_v1.proto`."""

    def __init__(self, model: ModelService, service: Service, known: "KnownServices | None" = None) -> None:
        self._model = model
        self._rpcs = Rpcs(service, FULL_NAME, known)

    async def Generate(  # noqa: N802 (named by the .proto)
        self, message: pb.GenerateRequest, context: Context
    ) -> pb.GenerateResponse:
        async with self._rpcs.serve(context, "Generate") as metadata:
            with calling_with(bearer_key(metadata)):
                answer = await self._model.generate(to_request(message))
            await context.send_initial_metadata(told(answer.completion.headers))
            return from_response(answer.response())
        raise AssertionError("an error ends the call")

    async def StreamGenerate(  # noqa: N802
        self, message: pb.GenerateRequest, context: Context
    ) -> None:
        """Writes, and is no generator: cancelled while a reader is slow, it ends the provider's call."""
        async with self._rpcs.serve(context, "StreamGenerate") as metadata:
            with calling_with(bearer_key(metadata)):
                async with aclosing(self._model.stream(to_request(message))) as items:
                    async for item in items:
                        if isinstance(item, Opening):
                            headers = {MODEL_HEADER: item.model, **item.headers}
                            await context.send_initial_metadata(told(headers))
                        await context.write(as_message(item))

    async def ListModels(  # noqa: N802
        self, message: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        async with self._rpcs.serve(context, "ListModels"):
            return from_cards(await self._model.models())
        raise AssertionError("an error ends the call")


def told(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """The answer's metadata: what HTTP has as headers."""
    sent = {name.lower(): value for name, value in own_headers(headers).items()}
    return [(REQUEST_ID, request_id_or()), *sent.items()]


def as_message(item: StreamItem) -> pb.StreamGenerateResponse:
    if isinstance(item, Opening):
        return pb.StreamGenerateResponse(opening=pb.Opening(model=item.model))
    if isinstance(item, Usage):
        return pb.StreamGenerateResponse(usage=from_usage(item))
    return pb.StreamGenerateResponse(token=item)


@asynccontextmanager
async def serving_grpc(
    model: ModelService, service: Service, settings: ModelSettings, known: "KnownServices | None" = None
) -> AsyncIterator[None]:
    """Serve while the block runs, with reflection and health; then end what is in flight, in bounded time.

    Raises:
        SettingsError: the port is taken.
    """
    server = aio.server(options=server_options(settings.max_body_bytes))
    add_ModelServicer_to_server(ModelFace(model, service, known), server)
    health = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = (FULL_NAME, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
    reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
    where = f"{settings.model_grpc_host}:{settings.model_grpc_port}"
    try:
        server.add_insecure_port(where)
    except RuntimeError:
        raise SettingsError(f"MODEL_GRPC_PORT: can't listen at {where}; is the port taken?") from None
    await server.start()
    for name in ("", FULL_NAME):
        await health.set(name, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield
    finally:
        await health.enter_graceful_shutdown()
        await server.stop(settings.shutdown_seconds)


def server_options(max_bytes: int) -> list[tuple[str, int]]:
    """A port is taken by one process alone; pings of a caller that looks after its connection are welcome."""
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", max_bytes),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
        ("grpc.http2.max_ping_strikes", 0),
    ]
