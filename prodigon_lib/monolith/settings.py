"""The monolith's settings."""

from typing import ClassVar

from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.worker.settings import WorkerSettings


class MonolithSettings(GatewaySettings, ModelSettings, WorkerSettings):
    """Those of all three services; one that several of them have is one setting here.

    `MODEL_SERVICE_URL` and `WORKER_SERVICE_URL` are taken and not used: nothing is called over the wire.
    """

    AMONG_SERVICES: ClassVar[bool] = False
