"""The gRPC connections to one service, which may listen at several addresses.

One channel an address, and one HTTP/2 connection a channel, kept for as long as the process lives: calls
share it side by side. So a balancer in between that deals out connections, and not calls, sends all of a
caller's work to whichever replica took its connection. Here the addresses take turns, call by call, and one
that fails again and again is left alone for a while, as over HTTP.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from grpc import ChannelConnectivity, StatusCode, aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from prodigon_lib.core.context import REQUEST_ID_HEADER, current_request_id
from prodigon_lib.core.deadline import allowed, remaining
from prodigon_lib.core.errors import ProdigonError, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.core.http.admission import SERVICE_HEADER
from prodigon_lib.core.telemetry import Span, Telemetry, inject_trace, mark_failed
from prodigon_lib.transport.addresses import Address, Addresses, Resilience
from prodigon_lib.transport.grpc_status import error_in
from prodigon_lib.transport.http import NOT_FOR_CALLERS, Identity, Timeouts
from prodigon_lib.transport.metrics import UpstreamMetrics

SCHEME = "grpc://"
CHECK_SECONDS = 2.0
UNSENT = "failed to connect"
"""What gRPC says of a call whose connection had just gone, and for which there was no other."""

OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
]
"""A service that comes back is found within a second. All calls share one connection, so one that has
silently died would hold up all of them: pings find it out."""


class ServiceChannel:
    """Calls one service over gRPC. The same promises and errors as `ServiceClient`, which see."""

    def __init__(
        self,
        name: str,
        urls: tuple[str, ...],
        stub: Callable[[aio.Channel], Any],
        telemetry: Telemetry,
        timeouts: Timeouts | None = None,
        *,
        resilience: Resilience | None = None,
        metrics: UpstreamMetrics | None = None,
        identity: Identity | None = None,
    ) -> None:
        self.name = name
        self._identity = identity
        self.urls = urls
        self.telemetry = telemetry
        self.timeouts = timeouts or Timeouts()
        self._addresses = Addresses(name, urls, resilience or Resilience(), metrics)
        self._make_stub = stub
        self._channels: dict[str, aio.Channel] = {}
        self._stubs: dict[str, Any] = {}

    async def open(self) -> None:
        """Connects to nobody yet: the first call does."""
        self._channels = {
            url: aio.insecure_channel(url.removeprefix(SCHEME), options=OPTIONS) for url in self.urls
        }
        self._stubs = {url: self._make_stub(channel) for url, channel in self._channels.items()}

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()
        self._channels, self._stubs = {}, {}

    async def unary(self, method: str, message: Any, *, retry: bool = False) -> Any:
        """The answer to one message.

        Args:
            retry: to do it twice does no harm.
        """
        span = self._begin(method)
        clock = asyncio.get_running_loop().time
        end = clock() + allowed(self.timeouts.whole)
        self._addresses.called()
        try:
            while True:
                place = await self._connected(end)
                try:
                    with self._reporting(place):
                        call = getattr(self._stubs[place.url], method)
                        left = max(0.0, end - clock())
                        return await call(message, timeout=left, metadata=self._metadata(span))
                except aio.AioRpcError as error:
                    if not retry or not broke(error) or not self._addresses.may_repeat():
                        raise
                    retry = False
        except ProdigonError as error:
            mark_failed(span, error.message)
            raise
        except aio.AioRpcError as error:
            raise self._named(error, span) from error
        finally:
            span.end()

    async def stream(self, method: str, message: Any) -> AsyncGenerator[Any]:
        """The messages of the answer, as they come. Closing the iterator cancels the call."""
        span = self._begin(method)
        call: Any = None
        end = asyncio.get_running_loop().time() + allowed(self.timeouts.first_byte)
        self._addresses.called()
        try:
            place = await self._connected(end)
            with self._reporting(place):
                call = getattr(self._stubs[place.url], method)(
                    message, timeout=remaining(), metadata=self._metadata(span)
                )
                async with asyncio.timeout_at(end):
                    item = await call.read()
            while item is not aio.EOF:
                yield item
                async with asyncio.timeout(self.timeouts.between):
                    item = await call.read()
        except ProdigonError as error:
            mark_failed(span, error.message)
            raise
        except aio.AioRpcError as error:
            raise self._named(error, span) from error
        except TimeoutError as error:
            mark_failed(span, "TimeoutError")
            raise UpstreamTimeout(f"the {self.name} service took too long") from error
        finally:
            if call is not None:
                call.cancel()  # nothing happens to one that has ended
            span.end()

    async def check(self) -> None:
        """Returns when the service lives; for `/health/ready` of the caller. It tries what is left alone."""
        end = asyncio.get_running_loop().time() + self.timeouts.connect
        place = await self._connected(end, counts=False)
        stub: Any = health_pb2_grpc.HealthStub(self._channels[place.url])
        try:
            with self._reporting(place, counts=False):
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=CHECK_SECONDS)
        except aio.AioRpcError as error:
            raise UpstreamUnavailable(f"the {self.name} service is away") from error
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            raise UpstreamUnavailable(f"the {self.name} service is not serving")

    async def _connected(self, end: float, *, counts: bool = True) -> Address:
        """The next address that has a connection, or gets one in time.

        It is waited for apart from the call: then a fault of the call itself is known to be no refusal, and
        is never sent to another address a second time unasked.
        """
        assert self._channels, "open() was not called"
        for place in self._addresses.admitted():
            left = max(0.0, end - asyncio.get_running_loop().time())
            try:
                if await ready(self._channels[place.url], min(left, self.timeouts.connect)):
                    return place
            except BaseException:
                place.breaker.abandoned()
                raise
            place.report(TimeoutError(), place.breaker.answers, counts=counts)
        raise self._addresses.away()

    @contextmanager
    def _reporting(self, place: Address, *, counts: bool = True) -> Iterator[None]:
        """Tells the breaker how a call went. Whatever the service itself answers shows that it works."""
        answers = place.breaker.answers
        try:
            yield
        except aio.AioRpcError as error:
            if broke(error):
                place.report(ConnectionError(), answers, counts=counts)
            elif error.code() is StatusCode.DEADLINE_EXCEEDED and not answered(error):
                place.report(TimeoutError(), answers, counts=counts)
            else:
                place.breaker.succeeded()
            raise
        except BaseException as error:
            place.report(error, answers, counts=counts)
            raise
        if counts or place.breaker.open:
            place.breaker.succeeded()

    def _begin(self, method: str) -> Span:
        attributes = {"rpc.system": "grpc", "rpc.method": method, "peer.service": self.name}
        return self.telemetry.outgoing_span(f"call {self.name}", attributes)

    def _metadata(self, span: Span) -> list[tuple[str, str]]:
        outgoing = inject_trace({}, span)
        if request_id := current_request_id.get():
            outgoing[REQUEST_ID_HEADER.lower()] = request_id
        if self._identity is not None:
            outgoing[SERVICE_HEADER.lower()] = self._identity()
        return list(outgoing.items())

    def _named(self, error: aio.AioRpcError, span: Span) -> ProdigonError:
        """The error that the caller gets for this status."""
        span.set_attribute("rpc.grpc.status_code", int(error.code().value[0]))
        found = error_in(error.trailing_metadata())
        if found is None and UNSENT in (error.details() or ""):
            found = UpstreamUnavailable(f"the {self.name} service is away", retry_after=1)
        elif found is None or found.code in NOT_FOR_CALLERS:
            found = self._of_the_connection(error.code())
        mark_failed(span, found.message)
        return found

    def _of_the_connection(self, code: StatusCode) -> ProdigonError:
        if code is StatusCode.DEADLINE_EXCEEDED:
            return UpstreamTimeout(f"the {self.name} service took too long")
        if code is StatusCode.UNAVAILABLE:
            return UpstreamError(f"the connection to the {self.name} service broke")
        return UpstreamError(f"the {self.name} service failed")


def answered(error: aio.AioRpcError) -> bool:
    """Whether the service itself said so."""
    return error_in(error.trailing_metadata()) is not None


def broke(error: aio.AioRpcError) -> bool:
    """Whether the connection broke before an answer."""
    return error.code() is StatusCode.UNAVAILABLE and not answered(error)


async def ready(channel: aio.Channel, seconds: float) -> bool:
    """Whether the channel has a connection, or gets one in time."""
    state = channel.get_state(try_to_connect=True)
    try:
        async with asyncio.timeout(seconds):
            while state is not ChannelConnectivity.READY:
                if state in (ChannelConnectivity.TRANSIENT_FAILURE, ChannelConnectivity.SHUTDOWN):
                    return False
                await channel.wait_for_state_change(state)
                state = channel.get_state(try_to_connect=True)
    except TimeoutError:
        return False
    return True
