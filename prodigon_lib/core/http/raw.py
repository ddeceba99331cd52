"""Routes that the framework finds and documents, and does not run: for what only passes through a service.

Solving dependencies, parsing the body and writing it again cost more than the pass itself.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from prodigon_lib.core.http.errors import from_validation, not_json
from prodigon_lib.core.http.streams import ClientDisconnected

Body = TypeVar("Body", bound=BaseModel)


class RawRoute(APIRoute):
    """Documented by the signature of `endpoint`, which is never called; answered by `serve`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *, serve: ASGIApp, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.app = serve


async def read_body(receive: Receive) -> bytes:
    """The whole body.

    Raises:
        ClientDisconnected: the client left before it had sent all of it.
        PayloadTooLarge: from the middleware's limit.
    """
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):  # nearly always: no copy
        return bytes(message["body"])
    pieces = []
    while message["type"] == "http.request":
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await receive()
    raise ClientDisconnected


def check_json(scope: Scope, body: bytes, kind: type[Body]) -> Body:
    """The body as `kind`.

    Raises:
        BadRequest: it is not JSON.
        ValidationFailed: a field is wrong, or the body was not announced as JSON.
    """
    if not announces_json(scope):
        raise not_json(body)
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise from_validation(error.errors(include_url=False, include_input=False)) from None


def announces_json(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind: bytes = value.lower().partition(b";")[0].strip()
            return kind == b"application/json" or (
                kind.startswith(b"application/") and kind.endswith(b"+json")
            )
    return False


def header_of(scope: Scope, name: bytes) -> str | None:
    """Args: `name` in small letters."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


async def send_json(send: Send, body: bytes, others: Mapping[str, str] | None = None) -> None:
    """Answer 200 with a body that is JSON already, and with other headers beside those that say so."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if others:
        headers += [(name.lower().encode(), value.encode()) for name, value in others.items()]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
