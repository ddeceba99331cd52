"""The model, as its callers see it, and its HTTP carrier."""

from collections.abc import AsyncGenerator
from typing import Protocol

from prodigon_lib.core import sse
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, ModelCard, Usage
from prodigon_lib.transport.http import ServiceClient


class ModelClient(Protocol):
    """A model service, wherever it runs.

    The two `forward` calls take and give the contract's own bytes, so that a gateway need not parse what only
    passes through; the typed ones are for callers that look inside. All raise `ProdigonError`.
    """

    async def forward(self, body: bytes) -> bytes:
        """`POST /inference`: a `GenerateRequest` as JSON in, a `GenerateResponse` as JSON out."""
        ...

    def forward_stream(self, body: bytes) -> AsyncGenerator[bytes]:
        """`POST /inference/stream`: server-sent events, in whatever pieces they arrive."""
        ...

    async def generate(self, request: GenerateRequest) -> GenerateResponse: ...

    def stream(self, request: GenerateRequest) -> AsyncGenerator[str | Usage]:
        """Tokens, then the usage. Closing the iterator ends the provider's call."""
        ...

    async def models(self) -> list[ModelCard]: ...


class HttpModelClient:
    """`ModelClient` over HTTP. A completion keeps nothing, so that asking for it twice does no harm."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def forward(self, body: bytes) -> bytes:
        return await self._service.request("POST", "/inference", body=body, retry=True)

    def forward_stream(self, body: bytes) -> AsyncGenerator[bytes]:
        return self._service.stream("POST", "/inference/stream", body=body, retry=True)

    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        return GenerateResponse.model_validate_json(await self.forward(encode(request)))

    def stream(self, request: GenerateRequest) -> AsyncGenerator[str | Usage]:
        return sse.read_tokens(self.forward_stream(encode(request)))

    async def models(self) -> list[ModelCard]:
        return [
            ModelCard.model_validate(card) for card in await self._service.json("GET", "/models", retry=True)
        ]


def encode(request: GenerateRequest) -> bytes:
    return request.model_dump_json(exclude_none=True).encode()
