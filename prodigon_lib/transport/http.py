"""One pooled HTTP client for the calls to one service, which may listen at several addresses."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import orjson

from prodigon_lib.core.context import REQUEST_ID_HEADER, current_request_id
from prodigon_lib.core.deadline import DEADLINE_HEADER, allowed, as_header, remaining
from prodigon_lib.core.errors import (
    ProdigonError,
    UpstreamError,
    UpstreamTimeout,
    error_for,
)
from prodigon_lib.core.http.admission import SERVICE_HEADER
from prodigon_lib.core.telemetry import Span, Telemetry, inject_trace, mark_failed
from prodigon_lib.core.time_limits import TimeLimits
from prodigon_lib.transport.addresses import Address, Addresses, Resilience
from prodigon_lib.transport.connections.answer import Answer
from prodigon_lib.transport.connections.faults import NobodyListens
from prodigon_lib.transport.connections.pool import Pool
from prodigon_lib.transport.metrics import UpstreamMetrics

JSON_HEADERS = {"Content-Type": "application/json"}
NOT_FOR_CALLERS = {"INTERNAL_ERROR", "NOT_FOUND", "METHOD_NOT_ALLOWED", "UNKNOWN_SERVICE"}
"""What a service says of a call that we should not have made, or of a fault of its own. Our caller has no
part in it, and gets a 502. A thing that a caller asked for has a code of its own (`JOB_NOT_FOUND`)."""


Identity = Callable[[], str]
"""Gives a token that proves which service calls, good for the next moments."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `first_byte` bounds a call until its answer begins.

    `between` bounds each silence of a stream, that before its beginning too; `whole` bounds a call that is no
    stream, from first to last. `idle` is how long a connection is kept that no call uses: below uvicorn's
    default of five, so that none meets one that the service has just closed.
    """

    connect: float = 2.0
    first_byte: float = 60.0
    between: float = 60.0
    whole: float = 120.0
    idle: float = 4.0


class ServiceClient:
    """Calls one service. Made at start, closed at the end; never one per request.

    A refused connection tries the next address, as nothing was sent yet. A connection that broke before the
    answer began is tried again once, over a new one, where the caller says that this is safe and the budget
    allows it; after one that had been idle, none is needed. No other fault is. Each call carries the request
    id, `traceparent` and what is left of the caller's time, and is a span of its own.

    Raises (all calls):
        UpstreamUnavailable: no address took the connection, or each one is left alone for a while.
        UpstreamTimeout: no answer, or no next byte, in time.
        UpstreamError: the connection broke, or the answer was no envelope.
        ProdigonError: what the service itself answered, rebuilt from its envelope.
    """

    def __init__(
        self,
        name: str,
        urls: tuple[str, ...],
        telemetry: Telemetry,
        timeouts: Timeouts | None = None,
        *,
        resilience: Resilience | None = None,
        metrics: UpstreamMetrics | None = None,
        identity: Identity | None = None,
    ) -> None:
        """`identity` says who calls, where the service asks."""
        self.name = name
        self._identity = identity
        self.telemetry = telemetry
        self.timeouts = timeouts or Timeouts()
        self._addresses = Addresses(name, urls, resilience or Resilience(), metrics)
        self._pool: Pool | None = None
        self._limits = TimeLimits()

    async def open(self) -> None:
        seconds, self._limits = self.timeouts, TimeLimits()
        self._pool = Pool(connect_seconds=seconds.connect, idle_seconds=seconds.idle, ticker=self._limits)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        retry: bool = False,
        counts: bool = True,
    ) -> bytes:
        """The answer's body; a status of 300 or more is raised.

        Args:
            retry: to do it twice does no harm.
            counts: how it ends is how the service does its work. What only asks whether it lives may close a
                breaker and never opens one: to be watched closely would else keep calls from it.
        """
        span = self._begin(method, path)
        seconds = allowed(self.timeouts.whole)
        end = asyncio.get_running_loop().time() + seconds
        outgoing = self._headers(headers, span)
        outgoing[DEADLINE_HEADER] = as_header(seconds)
        try:
            answer, place = await self._begun(
                method, path, body, outgoing, end, between=inf, retry=retry, counts=counts
            )
            answers = place.breaker.answers
            try:
                with self._limits.until(end):
                    await self._check(answer, span)
                    whole = await answer.read()
            except BaseException as error:
                place.report(error, answers, counts=counts)
                raise
            finally:
                answer.release()
            if counts or place.breaker.open:
                place.breaker.succeeded()
            return whole
        except ProdigonError as error:
            mark_failed(span, error.message)
            raise
        except (TimeoutError, ConnectionError) as error:
            raise self._named(error, span) from error
        finally:
            span.end()

    async def json(
        self,
        method: str,
        path: str,
        *,
        document: Any = None,
        headers: Mapping[str, str] | None = None,
        retry: bool = False,
    ) -> Any:
        body = None if document is None else orjson.dumps(document)
        answer = await self.request(method, path, body=body, headers=headers, retry=retry)
        return orjson.loads(answer or b"null")

    async def stream(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        retry: bool = False,
    ) -> AsyncGenerator[bytes]:
        """The answer's bytes as they come, unread; a status of 300 or more is raised before the first."""
        span = self._begin(method, path)
        end = asyncio.get_running_loop().time() + allowed(self.timeouts.first_byte)
        outgoing = self._headers(headers, span)
        if (left := remaining()) is not None:
            outgoing[DEADLINE_HEADER] = as_header(left)
        try:
            between = self.timeouts.between
            answer, place = await self._begun(method, path, body, outgoing, end, between=between, retry=retry)
            place.breaker.succeeded()
            try:
                await self._check(answer, span)
                async for piece in answer.pieces():
                    yield piece
            finally:
                answer.release()
        except ProdigonError as error:
            mark_failed(span, error.message)
            raise
        except (TimeoutError, ConnectionError) as error:
            raise self._named(error, span) from error
        finally:
            span.end()

    async def check(self) -> None:
        """Returns when the service lives; for `/health/ready` of the caller. It tries what is left alone."""
        await self.request("GET", "/health/live", counts=False)

    def _begin(self, method: str, path: str) -> Span:
        alone = path.partition("?")[0]  # a query holds what a caller typed
        attributes = {"http.request.method": method, "url.path": alone, "peer.service": self.name}
        return self.telemetry.outgoing_span(f"call {self.name}", attributes)

    def _headers(self, headers: Mapping[str, str] | None, span: Span) -> dict[str, str]:
        outgoing = inject_trace({**JSON_HEADERS, **(headers or {})}, span)
        if request_id := current_request_id.get():
            outgoing[REQUEST_ID_HEADER] = request_id
        if self._identity is not None:
            outgoing[SERVICE_HEADER] = self._identity()
        return outgoing

    async def _begun(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        end: float,
        *,
        between: float,
        retry: bool,
        counts: bool = True,
    ) -> tuple[Answer, Address]:
        """An answer that has begun, and the address that wants to hear how it went on."""
        pool = self._pool
        assert pool is not None, "open() was not called"
        self._addresses.called()
        places, fresh = self._addresses.admitted(), False
        while (place := next(places, None)) is not None:
            answers = place.breaker.answers
            try:
                with self._limits.until(end):
                    answer = await pool.ask(
                        method, place.url, path, headers, body, between=between, fresh=fresh
                    )
                return answer, place
            except NobodyListens as error:
                place.report(error, answers, counts=counts)
            except BaseException as error:
                place.report(error, answers, counts=counts)
                if not retry or not self._addresses.may_retry(error):
                    raise
                places, retry, fresh = self._addresses.admitted(), False, True
        raise self._addresses.away()

    async def _check(self, answer: Answer, span: Span) -> None:
        """Raises: ProdigonError: what the service answered, when that is an error."""
        span.set_attribute("http.response.status_code", answer.status)
        if answer.status < 300:
            return
        try:
            document = orjson.loads(await answer.read())
        except (orjson.JSONDecodeError, ConnectionError):
            document = None
        retry_after = answer.headers.get(b"retry-after", b"")
        error = error_for(
            answer.status, document, retry_after=float(retry_after) if retry_after.isdigit() else None
        )
        foreign = not isinstance(document, dict) and answer.status < 500 and answer.status != 429
        if foreign or error.code in NOT_FOR_CALLERS:
            raise UpstreamError(f"the {self.name} service failed")
        raise error

    def _named(self, error: Exception, span: Span) -> ProdigonError:
        """The error that the caller gets for this fault of the connection."""
        mark_failed(span, type(error).__name__)
        if isinstance(error, TimeoutError):
            return UpstreamTimeout(f"the {self.name} service took too long")
        return UpstreamError(f"the connection to the {self.name} service broke")
