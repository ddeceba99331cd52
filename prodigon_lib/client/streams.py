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


class StreamState:
    """What both kinds of stream know.

    `usage` is there once the stream has come to its end. `user_message_id` and `assistant_message_id` are a
    chat turn's: the second is saved when the stream has come to its end.
    """

    def __init__(self, base_url: str) -> None:
        self.request_id = ""
        self.user_message_id: str | None = None
        self.assistant_message_id: str | None = None
        self.usage: Usage | None = None
        self._base_url = base_url
        self._reader = TokenReader()

    def _begin(self, headers: httpx.Headers) -> None:
        self.request_id = headers.get(REQUEST_ID_HEADER, "")
        self.user_message_id = headers.get("X-User-Message-ID")
        self.assistant_message_id = headers.get("X-Assistant-Message-ID")

    def _read(self, chunk: bytes) -> Iterator[str]:
        for item in self._reader.feed(chunk):
            if isinstance(item, Usage):
                self.usage = item
            else:
                yield item

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            with faults_named(self._base_url):
                yield
        except ProdigonError as error:
            error.request_id = error.request_id or self.request_id
            raise


class TokenStream(StreamState):
    """An iterator of tokens. Leaving it, by `close()` or at the end of a `with`, ends the model's call.

        with client.stream("Count to ten") as tokens:
            for token in tokens:
                print(token, end="")
        print(tokens.usage)

    Raises (while iterating):
        ProdigonError: what the server said, or `UpstreamError` when the stream was cut.
    """

    def __init__(self, response: httpx.Response, base_url: str) -> None:
        super().__init__(base_url)
        self._begin(response.headers)
        self._response = response
        self._tokens = self._iterate()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._tokens)

    def _iterate(self) -> Generator[str]:
        try:
            with self._faults_named():
                for chunk in self._response.iter_raw():
                    yield from self._read(chunk)
                self._reader.finish()
        finally:
            self._response.close()

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


class AsyncTokenStream(StreamState):
    """`TokenStream` for `async for` and `async with`; the call is made by either, or by `await`."""

    def __init__(self, call: Callable[[], Awaitable[httpx.Response]], base_url: str) -> None:
        super().__init__(base_url)
        self._call = call
        self._response: httpx.Response | None = None
        self._tokens = self._iterate()

    async def open(self) -> Self:
        """Make the call, if it has not been made; returns when the first token is there."""
        if self._response is None:
            self._response = await self._call()
            self._begin(self._response.headers)
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.open().__await__()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        return await anext(self._tokens)

    async def _iterate(self) -> AsyncGenerator[str]:
        await self.open()
        assert self._response is not None
        try:
            with self._faults_named():
                async for chunk in self._response.aiter_raw():
                    for token in self._read(chunk):
                        yield token
                self._reader.finish()
        finally:
            await self._response.aclose()

    async def text(self) -> str:
        """All that is left of it, as one string."""
        return "".join([token async for token in self])

    async def close(self) -> None:
        with suppress(RuntimeError):  # another task waits for a token; closing the answer ends its wait
            await self._tokens.aclose()
        if self._response is not None:
            await self._response.aclose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
