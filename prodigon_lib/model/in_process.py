"""The model service bound without a wire, for the monolith: the same calls as over HTTP, the same errors."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import ValidationError

from prodigon_lib.core import sse
from prodigon_lib.core.context import request_id_or
from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.http.errors import from_validation
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, ModelCard, Usage
from prodigon_lib.model.inference import encoded
from prodigon_lib.model.providers.base import Opening
from prodigon_lib.model.service import ModelService


class InProcessModelClient:
    """`transport.model.ModelClient` over a `ModelService` of this process; the giver opens and closes it."""

    def __init__(self, service: ModelService) -> None:
        self._service = service

    async def forward(self, body: bytes) -> bytes:
        answer = await self._service.generate(decoded(body))
        return answer.response().model_dump_json().encode()

    async def forward_stream(self, body: bytes) -> AsyncGenerator[bytes]:
        async with aclosing(self._service.stream(decoded(body))) as items:
            opening = await anext(items)
            paced = not isinstance(opening, Opening) or opening.paced
            begun = False
            try:
                async with aclosing(encoded(items, paced=paced)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                        begun = True
            except ProdigonError as error:
                if not begun:
                    raise
                yield sse.error_bytes(error, request_id_or())

    async def generate(self, request: GenerateRequest) -> GenerateResponse:
        return (await self._service.generate(request)).response()

    async def stream(self, request: GenerateRequest) -> AsyncGenerator[str | Usage]:
        async with aclosing(self._service.stream(request)) as items:
            async for item in items:
                if not isinstance(item, Opening):
                    yield item

    async def models(self) -> list[ModelCard]:
        return await self._service.models()


def decoded(body: bytes) -> GenerateRequest:
    """Raises: BadRequest, ValidationFailed."""
    try:
        return GenerateRequest.model_validate_json(body)
    except ValidationError as error:
        raise from_validation(error.errors(include_url=False, include_input=False)) from None
