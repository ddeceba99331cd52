"""The model service's composition root."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from fastapi import FastAPI

from prodigon_lib.core.http.application import Service
from prodigon_lib.core.schemas.generate import ModelCard
from prodigon_lib.core.settings import load_settings
from prodigon_lib.model.inference import inference_routes
from prodigon_lib.model.providers.base import Provider
from prodigon_lib.model.service import ModelService
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.model.simulated_routes import simulated_routes
from prodigon_lib.security.service_identity import ServiceGuard, service_guard

NAME = "model"
CALLERS = ("gateway", "worker")
DESCRIPTION = """
Completions from one face for every provider: Groq, any OpenAI-compatible server, the simulated model. Every
error is `{"error": {"code", "message", "request_id"}}`.
"""


def create_app(
    settings: ModelSettings | None = None, *, providers: Sequence[Provider] | None = None
) -> FastAPI:
    """The model service.

    Args:
        providers: in place of those that the settings turn on, the main one first.

    Raises:
        SettingsError: a setting is missing or wrong; the message names it.
    """
    settings = settings or load_settings(ModelSettings)
    service = Service(NAME, settings)
    model = ModelService(settings, service, providers=providers)
    guard = service_guard(settings.service_keys, NAME, CALLERS)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with model.opened(), grpc_face(model, service, settings, guard):
            yield
        service.telemetry.shutdown()

    app = service.application(
        title="Prodigon model service", description=DESCRIPTION, lifespan=lifespan, guard=guard
    )
    app.state.model = model
    app.router.routes[:0] = inference_routes(model)  # routes are tried in their order

    @app.get("/models", tags=["inference"])
    async def models() -> list[ModelCard]:
        """What can be asked for; `provider:name` where it is not the main provider's."""
        return await model.models()

    if model.simulated is not None and not settings.in_production:
        app.include_router(simulated_routes(model.simulated))
    return app


def grpc_face(
    model: ModelService, service: Service, settings: ModelSettings, guard: ServiceGuard | None
) -> AbstractAsyncContextManager[None]:
    """Serves gRPC while it is entered, when a port is set; nothing of gRPC is imported when none is."""
    if settings.model_grpc_port is None:
        return nullcontext()
    from prodigon_lib.model.grpc_face import serving_grpc

    return serving_grpc(model, service, settings, guard.known if guard is not None else None)
