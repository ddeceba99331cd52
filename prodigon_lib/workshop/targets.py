"""What a load is sent to: an HTTP endpoint of this machine."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.schemas.generate import Usage
from prodigon_lib.core.sse import CONTENT_TYPE, TokenReader

Body = Mapping[str, Any] | Callable[[int], Mapping[str, Any]]


@dataclass(frozen=True)
class Target:
    """One endpoint.

    Args:
        body: a JSON body, or a function that gives request number n its own; a POST then, else a GET.
        timeout: seconds for one request, after which it has failed.
        anywhere: allow a host other than this machine. A load test of somebody else's service is an attack.

    Raises:
        ValueError: the host is not this machine's loopback.
    """

    url: str
    body: Body | None = None
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 30.0
    anywhere: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http address: {self.url}")
        if not self.anywhere and not is_loopback(parts.hostname):
            raise ValueError(f"{parts.hostname} is not this machine; load is for your own services")

    def body_of(self, number: int) -> Mapping[str, Any] | None:
        return self.body(number) if callable(self.body) else self.body


def is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True)
class Answer:
    """What came back.

    Args:
        status: of HTTP; 0 where there is none.
        size: bytes of the body.
        tokens: of a stream.
        first: when the first token came, by `time.perf_counter()`; `None` where nothing was streamed.
        error: why it failed; empty when it did not.
    """

    status: int = 0
    size: int = 0
    tokens: int = 0
    first: float | None = None
    error: str = ""


class Targets:
    """Sends requests to a target over one set of connections, which are kept open between requests.

    Neither redirects nor proxies are followed: a request goes to this machine, or nowhere.
    """

    def __init__(self, target: Target) -> None:
        self._target = target

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self._target.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, number: int) -> Answer:
        """Send request `number` and read its answer to the end; a failed one is an answer too."""
        target = self._target
        body = target.body_of(number)
        method = target.method or ("GET" if body is None else "POST")
        try:
            async with self._session.request(
                method, target.url, json=body, headers=target.headers, allow_redirects=False
            ) as response:
                if response.content_type == CONTENT_TYPE and response.status < 400:
                    return await read_stream(response)
                size = len(await response.read())
        except TimeoutError:
            return Answer(error="timeout")
        except (aiohttp.ClientError, OSError) as error:
            return Answer(error=type(error).__name__)
        return Answer(
            response.status, size, error=f"HTTP {response.status}" if response.status >= 400 else ""
        )


async def read_stream(response: aiohttp.ClientResponse) -> Answer:
    """Read server-sent events; a stream that ends without `[DONE]`, or says an error, has failed."""
    reader, size, tokens, first, error = TokenReader(), 0, 0, None, ""
    try:
        async for chunk in response.content.iter_any():
            size += len(chunk)
            for item in reader.feed(chunk):
                if not isinstance(item, Usage):
                    tokens += 1
                    first = first or time.perf_counter()
        reader.finish()
    except ProdigonError as fault:
        error = fault.code
    except (TimeoutError, aiohttp.ClientError) as fault:
        error = f"cut: {type(fault).__name__}"
    return Answer(response.status, size, tokens, first, error)
