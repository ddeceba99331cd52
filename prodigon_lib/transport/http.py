"""One pooled HTTP client for the calls to one service, which may listen at several addresses.

`aiohttp` and not `httpx`: with many requests in flight it does many times the work on the same core.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
import orjson

from prodigon_lib.core.context import REQUEST_ID_HEADER, current_request_id
from prodigon_lib.core.errors import (
    ProdigonError,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
    error_for,
)
from prodigon_lib.core.telemetry import Telemetry, inject_trace, mark_failed

JSON_HEADERS = {"Content-Type": "application/json"}
POOL_LIMIT = 1000
KEEPALIVE_SECONDS = 4
"""Below uvicorn's default of five, so that no call meets a connection that the service has just closed."""


NOT_FOR_CALLERS = {"INTERNAL_ERROR", "NOT_FOUND", "METHOD_NOT_ALLOWED"}
"""What a service says of a call that we should not have made, or of a fault of its own. Our caller has no
part in it, and gets a 502. A thing that a caller asked for has a code of its own (`JOB_NOT_FOUND`)."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `first_byte` bounds a call until its answer begins, `between` the silence inside one.

    `whole` bounds a call that is not a stream, from first to last.
    """

    connect: float = 2.0
    first_byte: float = 60.0
    between: float = 60.0
    whole: float = 120.0


@dataclass(slots=True)
class ServiceClient:
    """Calls one service. Made at start, closed at the end; never one per request.

    A refused connection tries the next address, as nothing was sent yet. Every other fault is the caller's to
    retry or not. Each call carries the request id and `traceparent`, and is a span of its own.

    Raises (all calls):
        UpstreamUnavailable: no address took the connection.
        UpstreamTimeout: no answer, or no next byte, in time.
        UpstreamError: the connection broke, or the answer was no envelope.
        ProdigonError: what the service itself answered, rebuilt from its envelope.
    """

    name: str
    urls: tuple[str, ...]
    telemetry: Telemetry
    timeouts: Timeouts = field(default_factory=Timeouts)
    _session: aiohttp.ClientSession | None = None
    _turn: Any = field(default_factory=count)

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=POOL_LIMIT, keepalive_timeout=KEEPALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self.timeouts.connect, sock_read=self.timeouts.between
            ),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The answer's body; a status of 400 or more is raised."""
        try:
            async with asyncio.timeout(self.timeouts.whole):
                async with self._call(method, path, body, headers) as response:
                    return await response.read()
        except TimeoutError:
            raise UpstreamTimeout(f"the {self.name} service took too long") from None

    async def json(
        self, method: str, path: str, *, document: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        body = None if document is None else orjson.dumps(document)
        return orjson.loads(await self.request(method, path, body=body, headers=headers) or b"null")

    async def stream(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[bytes]:
        """The answer's bytes as they come, unread; a status of 400 or more is raised before the first."""
        async with self._call(method, path, body, headers) as response:
            async for chunk in response.content.iter_any():
                yield chunk

    async def check(self) -> None:
        """Returns when the service lives; for `/health/ready` of the caller."""
        await self.request("GET", "/health/live")

    @asynccontextmanager
    async def _call(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        attributes = {"http.request.method": method, "url.path": path, "peer.service": self.name}
        with self.telemetry.outgoing(f"call {self.name}", attributes) as span:
            outgoing = inject_trace({**JSON_HEADERS, **(headers or {})}, span)
            if request_id := current_request_id.get():
                outgoing[REQUEST_ID_HEADER] = request_id
            try:
                response = await self._connect(method, path, body, outgoing)
                async with response:
                    span.set_attribute("http.response.status_code", response.status)
                    if response.status >= 400:
                        raise await self._error(response)
                    yield response
            except ProdigonError as error:
                mark_failed(span, error.message)
                raise
            except TimeoutError:
                mark_failed(span, "timeout")
                raise UpstreamTimeout(f"the {self.name} service took too long") from None
            except aiohttp.ClientError as error:
                mark_failed(span, type(error).__name__)
                raise UpstreamError(f"the connection to the {self.name} service broke") from error

    async def _connect(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        assert self._session is not None, "open() was not called"
        first = next(self._turn)
        for offset in range(len(self.urls)):
            url = self.urls[(first + offset) % len(self.urls)] + path
            try:
                async with asyncio.timeout(self.timeouts.first_byte):
                    return await self._session.request(method, url, data=body, headers=headers)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                continue
        raise UpstreamUnavailable(f"the {self.name} service is away", retry_after=1)

    async def _error(self, response: aiohttp.ClientResponse) -> ProdigonError:
        try:
            document = orjson.loads(await response.read())
        except (orjson.JSONDecodeError, aiohttp.ClientError):
            document = None
        retry_after = response.headers.get("Retry-After", "")
        error = error_for(
            response.status, document, retry_after=float(retry_after) if retry_after.isdigit() else None
        )
        foreign = not isinstance(document, dict) and response.status < 500 and response.status != 429
        if foreign or error.code in NOT_FOR_CALLERS:
            return UpstreamError(f"the {self.name} service failed")
        return error
