"""The monolith's composition root: the one module that knows all three services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from prodigon_lib.core.http.application import Service
from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway.app import create_app as create_gateway
from prodigon_lib.model.in_process import InProcessModelClient
from prodigon_lib.model.service import ModelService
from prodigon_lib.model.simulated_routes import simulated_routes
from prodigon_lib.monolith.settings import MonolithSettings
from prodigon_lib.worker.collaborators import collaborators
from prodigon_lib.worker.termination import on_termination


def create_app(settings: MonolithSettings | None = None) -> FastAPI:
    """Gateway, model and worker on one event loop, behind the gateway's public contract.

    Each part keeps its own name in logs, spans and metrics. What calls the model or the jobs does so through
    `ModelClient` and `JobsClient`, as over the wire.

    Raises:
        SettingsError: a setting is missing or wrong; the message names it.
    """
    settings = settings or load_settings(MonolithSettings)
    first = Service("model", settings)
    second = Service("worker", settings, beside=[first])
    model = ModelService(settings, first)
    client = InProcessModelClient(model)
    worker = collaborators(second, settings, model=client)
    # Last, so that what belongs to no part, such as the server's own lines, is logged as the gateway's.
    app = create_gateway(
        settings,
        model=client,
        jobs=worker.jobs,
        checks={"queue": worker.queue.check},
        beside=[first, second],
    )
    if model.simulated is not None and not settings.in_production:
        app.include_router(simulated_routes(model.simulated), include_in_schema=False)
    gateway = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with on_termination(worker.drain):
            async with model.opened(), worker.opened(), gateway(app):
                yield
        first.telemetry.shutdown()

    app.router.lifespan_context = lifespan
    return app
