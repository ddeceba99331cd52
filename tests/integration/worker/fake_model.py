"""A model that counts: as a `ModelClient`, and as a service of its own."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from prodigon_lib.core.context import current_request_id
from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.http.streams import ClientDisconnected, unless_disconnected
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, ModelCard, Usage


@dataclass
class FakeModel:
    """Answers `prompt` with `answer to prompt`, after `seconds` and once `gate` is open.

    Args:
        faults: by prompt, what its next calls raise.
    """

    seconds: float = 0.0
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    away: ProdigonError | None = None
    calls: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    requests: list[GenerateRequest] = field(default_factory=list)
    request_ids: list[str | None] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        prompt = str(request.prompt)
        self.calls[prompt] += 1
        self.requests.append(request)
        self.request_ids.append(current_request_id.get())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.seconds)
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled[prompt] += 1
            raise
        finally:
            self.in_flight -= 1
        if self.away is not None:
            raise self.away
        if self.faults.get(prompt):
            raise self.faults[prompt].pop(0)
        return GenerateResponse(text=f"answer to {prompt}", model="fake", usage=Usage(), latency_ms=0.0)

    async def forward(self, body: bytes) -> bytes:
        raise AssertionError("a worker asks for whole answers, typed")

    def forward_stream(self, body: bytes) -> AsyncGenerator[bytes]:
        raise AssertionError("a worker asks for whole answers")

    def stream(self, request: GenerateRequest) -> AsyncGenerator[str | Usage]:
        raise AssertionError("a worker asks for whole answers")

    async def models(self) -> list[ModelCard]:
        raise AssertionError("a worker does not ask for models")


def model_service(model: FakeModel) -> Starlette:
    """The model over HTTP, as far as a worker goes."""

    async def inference(request: Request) -> JSONResponse:
        model.headers.append(dict(request.headers))
        try:
            asked = GenerateRequest.model_validate_json(await request.body())
            answer = await unless_disconnected(request.receive, model.generate(asked))
        except ClientDisconnected:
            return JSONResponse({}, 499)
        except ProdigonError as error:
            return JSONResponse(error.envelope("-"), error.status, headers=error.headers())
        return JSONResponse(answer.model_dump())

    async def live(_: Request) -> Any:
        return JSONResponse({})

    return Starlette(routes=[Route("/inference", inference, methods=["POST"]), Route("/health/live", live)])
