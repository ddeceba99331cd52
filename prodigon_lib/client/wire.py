"""What both clients need to speak HTTP: options, and faults as errors of ours."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from prodigon_lib.client.calls import Answer, Call
from prodigon_lib.core.context import REQUEST_ID_HEADER
from prodigon_lib.core.errors import (
    ProdigonError,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
    error_for,
)

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_SECONDS = 120.0
CONNECT_SECONDS = 5.0


def options(base_url: str, timeout: float) -> dict[str, Any]:
    """What `httpx.Client` and `httpx.AsyncClient` take alike."""
    host = urlsplit(base_url).hostname or ""
    return {
        "base_url": base_url.rstrip("/"),
        "timeout": httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        "trust_env": not is_loopback(host),  # a proxy is of no use on the way to this machine
    }


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def request_arguments(call: Call[Any]) -> dict[str, Any]:
    """For httpx's `request`; for its `build_request` too, where the call is not public."""
    arguments: dict[str, Any] = {"method": call.method, "url": call.path}
    if call.params:
        arguments["params"] = call.params
    if call.headers:
        arguments["headers"] = call.headers
    if call.json is not None:
        arguments["json"] = call.json
    if call.public:  # whether anybody is there must not depend on a password
        arguments["auth"] = None
    return arguments


def read_answer(call: Call[Answer], response: httpx.Response) -> Answer:
    """What the call makes of an answer whose body has been read.

    Raises:
        ProdigonError: what the server said, or `UpstreamError` when it is no Prodigon gateway.
    """
    if response.status_code >= 400 and response.status_code not in call.accepted:
        raise error_from(response)
    try:
        return call.read(response)
    except (ValueError, LookupError, TypeError):
        raise UpstreamError(f"what answers at {response.url} is no Prodigon gateway") from None


def error_from(response: httpx.Response) -> ProdigonError:
    """The error in an answer whose body has been read."""
    try:
        document = from_openai(orjson.loads(response.content))
    except orjson.JSONDecodeError:
        document = None
    retry_after = response.headers.get("Retry-After", "")
    error = error_for(
        response.status_code, document, retry_after=float(retry_after) if retry_after.isdigit() else None
    )
    error.request_id = error.request_id or response.headers.get(REQUEST_ID_HEADER)
    return error


def from_openai(document: Any) -> Any:
    """An error in OpenAI's shape, with its code in small letters, as one of ours; anything else as is."""
    inner = document.get("error") if isinstance(document, dict) else None
    if not isinstance(inner, dict) or "param" not in inner:
        return document
    return {"error": {**inner, "code": str(inner.get("code")).upper()}}


@contextmanager
def faults_named(base_url: str) -> Iterator[None]:
    """Faults of the connection as errors that say what to do.

    Raises:
        UpstreamUnavailable: nothing took the connection.
        UpstreamTimeout: no answer, or no next token, in time.
        UpstreamError: the connection broke.
    """
    try:
        yield
    except httpx.ConnectTimeout:
        raise UpstreamUnavailable(f"nothing answers at {base_url}: is the stack running?") from None
    except httpx.TimeoutException:
        raise UpstreamTimeout(f"{base_url} did not answer in time") from None
    except httpx.ConnectError:
        raise UpstreamUnavailable(f"nothing answers at {base_url}: is the stack running?") from None
    except httpx.TransportError as error:
        raise UpstreamError(f"the connection to {base_url} broke: {error or type(error).__name__}") from error
