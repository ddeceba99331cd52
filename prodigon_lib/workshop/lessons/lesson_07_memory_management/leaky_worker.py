"""The worker, with a leak: each prompt leaves `LEAK_MB` megabytes behind. A process of its own.

python -m prodigon_lib.workshop.lessons.lesson_07_memory_management.leaky_worker PORT
"""

import os
import sys
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse
from prodigon_lib.core.settings import load_settings
from prodigon_lib.transport.model import ModelClient
from prodigon_lib.worker.app import create_app
from prodigon_lib.worker.settings import WorkerSettings


@dataclass
class Leaking:
    """A model client that keeps something of each call, as a debugging aid that nobody took out would."""

    model: ModelClient
    each: int
    kept: list[bytes] = field(default_factory=list)

    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        self.kept.append(b"x" * self.each)
        return await self.model.generate(request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


def main(port: str) -> None:
    app = create_app(load_settings(WorkerSettings))
    prompts = app.state.collaborators.runner.prompts
    prompts.model = Leaking(prompts.model, round(float(os.environ["LEAK_MB"]) * 1_000_000))
    uvicorn.run(app, port=int(port), log_config=None, access_log=False, timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main(*sys.argv[1:])
