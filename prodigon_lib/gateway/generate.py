"""The two generate routes: the body is checked once and passed on as the bytes that came; so is the answer.

On this path a token is not parsed, and nothing is built per request but the call itself.
"""

from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from prodigon_lib.cache.control import AGE_HEADER, STATUS_HEADER, status_headers
from prodigon_lib.core.http.application import ERROR_ANSWERS
from prodigon_lib.core.http.documentation import event_stream
from prodigon_lib.core.http.raw import RawRoute, check_json, header_of, read_body, send_json
from prodigon_lib.core.http.streams import EventStream, unless_disconnected
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse
from prodigon_lib.gateway.access import principal_of, user_of
from prodigon_lib.gateway.answers import CachedAnswers
from prodigon_lib.gateway.collaborators import Collaborators

STREAM_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`data: <JSON string>` per token, `event: usage`, `data: [DONE]`; a fault in between "
        "is `event: error` with the envelope, and no `[DONE]`",
        "content": event_stream("message", "usage", "error"),
    }
}


CACHE_HEADERS = {
    STATUS_HEADER: {
        "description": "With a cache: where the answer came from, as RFC 9211 has it. `Cache-Control` of the "
        "request is kept: `no-cache`, `no-store`, `max-age`",
        "schema": {"type": "string"},
    },
    AGE_HEADER: {"description": "Seconds since it was made", "schema": {"type": "integer"}},
}


def generate_routes(bound: Collaborators) -> list[RawRoute]:
    answers = bound.answers
    return [
        RawRoute(
            "/api/v1/generate",
            generate,
            serve=Generate(bound) if answers is None else CachedGenerate(bound, answers),
            methods=["POST"],
            tags=["generate"],
            response_model=GenerateResponse,
            responses={**ERROR_ANSWERS, 200: {"headers": CACHE_HEADERS}},
        ),
        RawRoute(
            "/api/v1/generate/stream",
            generate_stream,
            serve=GenerateStream(bound),
            methods=["POST"],
            tags=["generate"],
            status_code=200,
            response_class=Response,
            responses={**ERROR_ANSWERS, **STREAM_ANSWER},
        ),
    ]


def generate(request: GenerateRequest) -> None:
    """One whole completion, for exactly one of `prompt` and `messages`."""


def generate_stream(request: GenerateRequest) -> None:
    """A completion, token by token. Leave, and the provider's call ends."""


class Generate:
    """ASGI application of `POST /api/v1/generate`."""

    def __init__(self, bound: Collaborators) -> None:
        self._bound = bound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        check_json(scope, body, GenerateRequest)
        model = self._bound.model_of(principal_of(scope).user)
        await send_json(send, await unless_disconnected(receive, model.forward(body)))


class CachedGenerate:
    """The same, where whole answers are kept."""

    def __init__(self, bound: Collaborators, answers: CachedAnswers) -> None:
        self._bound, self._answers = bound, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        request = check_json(scope, body, GenerateRequest)
        control = header_of(scope, b"cache-control")
        model = self._bound.model_of(principal_of(scope).user)
        asking = self._answers.answer(request, body, control, user_of(scope), model)
        found = await unless_disconnected(receive, asking)
        await send_json(send, found.body, status_headers(found))


class GenerateStream:
    """ASGI application of `POST /api/v1/generate/stream`."""

    def __init__(self, bound: Collaborators) -> None:
        self._bound = bound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        check_json(scope, body, GenerateRequest)
        model = self._bound.model_of(principal_of(scope).user)
        await EventStream(model.forward_stream(body))(scope, receive, send)
