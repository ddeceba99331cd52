"""`POST /inference` and `POST /inference/stream`: a completion, whole or token by token."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from prodigon_lib.core import sse
from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.http.application import ERROR_ANSWERS
from prodigon_lib.core.http.raw import RawRoute, check_json, read_body
from prodigon_lib.core.http.streams import EventStream, unless_disconnected
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, Usage
from prodigon_lib.model.providers.base import Opening, StreamItem
from prodigon_lib.model.providers.simulated.caller import bearer_key, calling_with
from prodigon_lib.model.service import ModelService

MODEL_HEADER = "X-Model"
"""Which model answers a stream; the events do not say."""

BURST_BYTES = 4096
"""How much of an unpaced stream goes into one write."""

RATE_LIMIT_HEADERS = {
    f"x-ratelimit-{figure}-{of}": {
        "description": "The provider's own figure, when it gives one",
        "schema": {"type": "string"},
    }
    for figure in ("limit", "remaining", "reset")
    for of in ("requests", "tokens")
}
WHOLE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The completion", "headers": RATE_LIMIT_HEADERS}
}
STREAM_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`data: <JSON string>` per token, `event: usage`, `data: [DONE]`; a fault in between "
        "is `event: error` with the envelope, and no `[DONE]`",
        "headers": {**RATE_LIMIT_HEADERS, MODEL_HEADER: {"schema": {"type": "string"}}},
        "content": {sse.CONTENT_TYPE: {"schema": {"type": "string"}}},
    }
}


def inference_routes(service: ModelService) -> list[RawRoute]:
    return [
        RawRoute(
            "/inference",
            inference,
            serve=Inference(service),
            methods=["POST"],
            tags=["inference"],
            response_model=GenerateResponse,
            responses={**ERROR_ANSWERS, **WHOLE_ANSWER},
        ),
        RawRoute(
            "/inference/stream",
            inference_stream,
            serve=InferenceStream(service),
            methods=["POST"],
            tags=["inference"],
            response_class=EventStream,
            responses={**ERROR_ANSWERS, **STREAM_ANSWER},
        ),
    ]


def inference(request: GenerateRequest) -> None:
    """One whole completion. Leave, and the provider's call ends."""


def inference_stream(request: GenerateRequest) -> None:
    """A completion, token by token. Leave, and the provider's call ends."""


class Inference:
    """ASGI application of `POST /inference`."""

    def __init__(self, service: ModelService) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = check_json(scope, await read_body(receive), GenerateRequest)
        with calling_with(bearer_key(Request(scope).headers)):
            answer = await unless_disconnected(receive, self._service.generate(request))
        body = answer.response().model_dump_json().encode()
        response = Response(
            body, headers=own_headers(answer.completion.headers), media_type="application/json"
        )
        await response(scope, receive, send)


class InferenceStream:
    """ASGI application of `POST /inference/stream`."""

    def __init__(self, service: ModelService) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = check_json(scope, await read_body(receive), GenerateRequest)
        with calling_with(bearer_key(Request(scope).headers)):
            await TokenStream(self._service.stream(request))(scope, receive, send)


class TokenStream(EventStream):
    """Tokens as the contract's events. The headers have what the provider says before the first of them."""

    def __init__(self, items: AsyncGenerator[StreamItem]) -> None:
        super().__init__(self._told(items))

    async def _told(self, items: AsyncGenerator[StreamItem]) -> AsyncGenerator[bytes]:
        async with aclosing(items):
            opening = await anext(items)
            assert isinstance(opening, Opening)
            self.headers.update({MODEL_HEADER: opening.model, **own_headers(opening.headers)})
            async with aclosing(encoded(items, paced=opening.paced)) as chunks:
                async for chunk in chunks:
                    yield chunk


async def encoded(items: AsyncGenerator[StreamItem], *, paced: bool) -> AsyncGenerator[bytes]:
    """Events of a stream after its opening, ended by `[DONE]`.

    A paced stream's tokens go out one by one. Where all are there at once, the first goes alone and the
    others share writes, so that not every one pays for its own.
    """
    held = b""
    most = 0
    try:
        async for item in items:
            if isinstance(item, Opening):
                continue
            held += sse.usage_bytes(item) + sse.DONE if isinstance(item, Usage) else sse.token_bytes(item)
            if len(held) > most:
                yield held
                held, most = b"", 0 if paced else BURST_BYTES
    except ProdigonError:
        if held:
            yield held
        raise
    if held:
        yield held


def own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that an HTTP answer of ours can carry: a provider's are text from outside."""
    return {name: value for name, value in headers.items() if value.isascii() and value.isprintable()}
