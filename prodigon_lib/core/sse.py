"""Server-sent events as the contract has them: how a stream of tokens is written and read.

A stream is `data: <JSON string>` per token, then `event: usage` with the usage object, then `data: [DONE]`.
A fault after the first token is `event: error` with the error envelope, and no `[DONE]`.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import orjson

from prodigon_lib.core.errors import ProdigonError, UpstreamError, error_for
from prodigon_lib.core.schemas.generate import Usage

CONTENT_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `name` is `message` when the stream names none."""

    name: str
    data: str


def event_bytes(name: str, document: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(document) + b"\n\n"


def token_bytes(token: str) -> bytes:
    return b"data: " + orjson.dumps(token) + b"\n\n"


def usage_bytes(usage: Usage) -> bytes:
    return event_bytes("usage", usage.model_dump())


def error_bytes(error: ProdigonError, request_id: str) -> bytes:
    return event_bytes("error", error.envelope(request_id))


class Parser:
    """Bytes in, events out; an event may arrive in any number of pieces. Ends lines on LF, CRLF and CR."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[Event]:
        lines = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        self._rest = lines.pop()
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r")
            if not line:
                if self._data:
                    yield Event(self._name or "message", "\n".join(self._data))
                self._name, self._data = "", []
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                self._data.append(value)
            elif field == "event":
                self._name = value


class TokenReader:
    """Bytes of a stream in, tokens and then the usage out. Events it does not know are passed over."""

    def __init__(self) -> None:
        self._parser = Parser()
        self.done = False

    def feed(self, chunk: bytes) -> Iterator[str | Usage]:
        """What is complete by now.

        Raises:
            ProdigonError: the stream carried an `error` event.
        """
        for event in self._parser.feed(chunk):
            if event.name not in ("message", "usage", "error"):
                continue
            item = interpret(event)
            if item is None:
                self.done = True
                return
            yield item

    def finish(self) -> None:
        """Call at the end of the bytes.

        Raises:
            UpstreamError: they ended without `[DONE]`.
        """
        if not self.done:
            raise UpstreamError("the stream ended before it was complete")


async def read_tokens(chunks: AsyncGenerator[bytes]) -> AsyncGenerator[str | Usage]:
    """The tokens of a stream, then its usage.

    Raises:
        ProdigonError: the stream carried an `error` event, or ended without `[DONE]`.
    """
    reader = TokenReader()
    async with aclosing(chunks):
        async for chunk in chunks:
            for item in reader.feed(chunk):
                yield item
            if reader.done:
                await drain(chunks)
    reader.finish()


async def drain(chunks: AsyncGenerator[bytes]) -> None:
    """Read what is left, for a second at most: only a connection read to its end goes back to its pool."""
    with suppress(TimeoutError, ProdigonError):
        async with asyncio.timeout(1):
            async for _ in chunks:
                pass


def interpret(event: Event) -> str | Usage | None:
    """A token, the usage, or `None` for the end of the stream; an `error` event raises what it carries."""
    if event.name == "message" and event.data == "[DONE]":
        return None
    try:
        document = orjson.loads(event.data)
    except orjson.JSONDecodeError:
        raise UpstreamError("the stream was cut inside an event") from None
    if event.name == "message":
        return str(document)
    if event.name == "usage":
        return Usage.model_validate(document)
    raise error_for(None, document)
