"""The three real services, composed in one process: gateway, worker, and model with any of its providers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prodigon_lib.gateway.app import create_app as gateway_app
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.model.app import create_app as model_app
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.monolith.app import create_app as monolith_app
from prodigon_lib.monolith.settings import MonolithSettings
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.worker.app import create_app as worker_app
from prodigon_lib.worker.settings import WorkerSettings
from tests.integration.serving import serving

SIMULATED = {"use_mock": True, "simulated_profile": "instant"}


@asynccontextmanager
async def whole_system(database: DatabaseUrl, topology: str = "services", **model: Any) -> AsyncIterator[str]:
    """The gateway's base URL, while all three run; `model` has settings of the model service."""
    if topology == "monolith":
        whole = MonolithSettings(_env_file=None, database_url=database.dsn, **(model or SIMULATED))
        async with serving(monolith_app(whole)) as url:
            yield url
        return
    settings = ModelSettings(_env_file=None, **(model or SIMULATED))
    async with serving(model_app(settings)) as model_url:
        common = {"_env_file": None, "database_url": database.dsn, "model_service_url": model_url}
        async with serving(worker_app(WorkerSettings(**common))) as worker_url:
            gateway = gateway_app(GatewaySettings(**common, worker_service_url=worker_url))
            async with serving(gateway) as url:
                yield url
