"""A worker that leaks with each prompt: `uvicorn tests.integration.worker.leaky:app`."""

import os

from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse
from prodigon_lib.worker.app import create_app
from tests.integration.worker.fake_model import FakeModel

LEAK_BYTES = int(os.environ["LEAK_BYTES"])
KEPT: list[bytes] = []


class LeakyModel(FakeModel):
    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        KEPT.append(b"x" * LEAK_BYTES)
        return await super().generate(request)


app = create_app(model=LeakyModel(seconds=0.2))
