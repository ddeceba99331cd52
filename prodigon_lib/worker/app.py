"""The worker's composition root."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from prodigon_lib.core.http.application import Service
from prodigon_lib.core.settings import load_settings
from prodigon_lib.security.service_identity import service_guard
from prodigon_lib.transport.model import ModelClient
from prodigon_lib.worker import routes
from prodigon_lib.worker.collaborators import collaborators
from prodigon_lib.worker.queues.base import Queue
from prodigon_lib.worker.settings import WorkerSettings
from prodigon_lib.worker.termination import on_termination

CALLERS = ("gateway",)
DESCRIPTION = """
Batch jobs: takes them in, runs their prompts, says how far they are. For the gateway, which says on whose
behalf it asks. Every error is `{"error": {"code", "message", "request_id"}}`.
"""


def create_app(
    settings: WorkerSettings | None = None, *, model: ModelClient | None = None, queue: Queue | None = None
) -> FastAPI:
    """The worker. It starts while Postgres and the model are away, answers 503, and works when they come.

    Args:
        model, queue: used instead of those that the settings name; the giver answers for their health.

    Raises:
        SettingsError: a setting is wrong; the message names it.
    """
    settings = settings or load_settings(WorkerSettings)
    service = Service("worker", settings)
    parts = collaborators(service, settings, model=model, queue=queue)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with on_termination(parts.drain):
            async with parts.opened():
                yield
        service.telemetry.shutdown()

    app = service.application(
        title="Prodigon worker",
        description=DESCRIPTION,
        lifespan=lifespan,
        checks=parts.checks,
        guard=service_guard(settings.service_keys, service.name, CALLERS),
    )
    app.state.collaborators = parts
    app.include_router(routes.router)
    return app
