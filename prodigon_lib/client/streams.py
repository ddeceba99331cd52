"""A completion that arrives token by token, for both clients."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import httpx

from prodigon_lib.client.wire import faults_named
from prodigon_lib.core.context import REQUEST_ID_HEADER
from prodigon_lib.core.errors import ProdigonError, UpstreamError
from prodigon_lib.core.schemas.generate import Usage
from prodigon_lib.core.sse import Event, Parser, TokenReader, interpret

OpenCall = Callable[[], Awaitable[httpx.Response]]


class EventReader:
    """Bytes of a stream without tokens in, events out."""

    def __init__(self) -> None:
        self._parser = Parser()
        self._done = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Raises: ProdigonError: the stream carried an `error` event."""
        for event in self._parser.feed(chunk):
            if event.name in ("message", "error"):
                interpret(event)
                self._done = True
            else:
                yield event

    def finish(self) -> None:
        """Raises: UpstreamError: the stream ended without `[DONE]`."""
        if not self._done:
            raise UpstreamError("the stream ended before it was complete")


class Reading:
    """What is known of a stream by now.

    An object of its own, so that the generators below don't hold the stream that holds them: a stream in a
    cycle, left by its loop, would end its call only when the garbage collector came by.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.response: httpx.Response | None = None
        self.usage: Usage | None = None
        self.reader = TokenReader()

    def header(self, name: str) -> str | None:
        return None if self.response is None else self.response.headers.get(name)

    def tokens(self, chunk: bytes) -> Iterator[str]:
        for item in self.reader.feed(chunk):
            if isinstance(item, Usage):
                self.usage = item
            else:
                yield item

    @contextmanager
    def faults_named(self) -> Iterator[None]:
        try:
            with faults_named(self.base_url):
                yield
        except ProdigonError as error:
            error.request_id = error.request_id or self.header(REQUEST_ID_HEADER)
            raise


def read(reading: Reading, response: httpx.Response) -> Generator[str]:
    try:
        with reading.faults_named():
            for chunk in response.iter_raw():
                yield from reading.tokens(chunk)
            reading.reader.finish()
    finally:
        response.close()


async def read_async(reading: Reading, open_call: OpenCall) -> AsyncGenerator[str]:
    response = reading.response = reading.response or await open_call()
    try:
        with reading.faults_named():
            async for chunk in response.aiter_raw():
                for token in reading.tokens(chunk):
                    yield token
            reading.reader.finish()
    finally:
        await response.aclose()


class StreamFacts:
    """What both kinds of stream tell."""

    def __init__(self, base_url: str) -> None:
        self._reading = Reading(base_url)

    @property
    def usage(self) -> Usage | None:
        """The tokens that were paid for, once the stream has come to its end."""
        return self._reading.usage

    @property
    def request_id(self) -> str:
        return self._reading.header(REQUEST_ID_HEADER) or ""

    @property
    def user_message_id(self) -> str | None:
        """Of a chat's turn: the saved question."""
        return self._reading.header("X-User-Message-ID")

    @property
    def assistant_message_id(self) -> str | None:
        """Of a chat's turn: the answer, saved once the stream has come to its end."""
        return self._reading.header("X-Assistant-Message-ID")


class TokenStream(StreamFacts):
    """An iterator of tokens. Leaving the loop, `close()` and the end of a `with` end the model's call.

        with client.stream("Count to ten") as tokens:
            for token in tokens:
                print(token, end="")
        print(tokens.usage)

    Raises (while iterating):
        ProdigonError: what the server said, or `UpstreamError` when the stream was cut.
    """

    def __init__(self, response: httpx.Response, base_url: str) -> None:
        super().__init__(base_url)
        self._reading.response = response
        self._response = response
        self._tokens = read(self._reading, response)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._tokens)

    def text(self) -> str:
        """All that is left of it, as one string."""
        return "".join(self)

    def close(self) -> None:
        self._tokens.close()
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncTokenStream(StreamFacts):
    """`TokenStream` for `async for` and `async with`; the call is made by either, or by `await`."""

    def __init__(self, open_call: OpenCall, base_url: str) -> None:
        super().__init__(base_url)
        self._open_call = open_call
        self._tokens = read_async(self._reading, open_call)

    async def open(self) -> Self:
        """Make the call, if it has not been made; returns when the first token is there."""
        if self._reading.response is None:
            self._reading.response = await self._open_call()
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.open().__await__()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        return await anext(self._tokens)

    async def text(self) -> str:
        """All that is left of it, as one string."""
        return "".join([token async for token in self])

    async def close(self) -> None:
        with suppress(RuntimeError):  # another task waits for a token; closing the answer ends its wait
            await self._tokens.aclose()
        if self._reading.response is not None:
            await self._reading.response.aclose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
