"""uvicorn's connection, with limits: how much may stand before a body, how long a request may take to come.

uvicorn has neither with `httptools`: a header may grow until memory ends, and a client that sends a byte now
and then (slow loris) keeps its connection for ever.
"""

import asyncio
from typing import Any

from starlette.datastructures import MutableHeaders
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from prodigon_lib.core.context import REQUEST_ID_HEADER
from prodigon_lib.core.errors import BadRequest, HeadersTooLarge, ProdigonError, RequestTimeout
from prodigon_lib.core.http.errors import error_response
from prodigon_lib.core.http.joining import Joining
from prodigon_lib.core.http.security_headers import CLOSED
from prodigon_lib.core.ids import request_ids

MOST_HEADERS = 100
MOST_HEAD_BYTES = 32 * 1024
TOO_LARGE = f"at most {MOST_HEADERS} headers may come, and {MOST_HEAD_BYTES} bytes before the body"


class LimitedProtocol(HttpToolsProtocol):
    """One connection of a client. What it refuses no application sees; it answers and closes.

    Args:
        patience: seconds until a whole request, head and body, has come.
    """

    _ids = request_ids()

    def __init__(self, *arguments: Any, patience: float, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None
        self._coming = self._in_head = False
        self._before = self._now = 0
        self._refusal: ProdigonError | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(Joining(transport))  # type: ignore[arg-type]  # it does what uvicorn asks
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._now = len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._stop_timer()
            return
        if self._in_head:
            self._before += len(data)
            if self._before > MOST_HEAD_BYTES:
                self._refuse(HeadersTooLarge(TOO_LARGE))
                return
        if not self._coming:
            self._stop_timer()
        elif self._timer is None:  # most requests come in one piece, and need none
            self._start_timer()

    def on_message_begin(self) -> None:
        self._coming = self._in_head = True
        self._before = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.headers) > MOST_HEADERS or self._too_long():
            self._refusal = HeadersTooLarge(TOO_LARGE)
            raise self._refusal  # the parser stops, and `send_400_response` answers
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._coming = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What could not be parsed, or was not to be."""
        self._refuse(self._refusal or BadRequest("this is no HTTP request that can be read"))

    def _too_long(self) -> bool:
        if self._before + self._now <= MOST_HEAD_BYTES:  # with what came of the body: nothing to count
            return False
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MOST_HEAD_BYTES

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self._patience, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._coming:
            self._refuse(RequestTimeout(f"a request must have come within {self._patience:g} s"))
        else:
            self.transport.close()

    def _refuse(self, error: ProdigonError) -> None:
        """Answer, unless an answer has begun, and close."""
        self._stop_timer()
        cycle = self.cycle
        under_way = cycle is not None and not cycle.response_complete
        if not (under_way and cycle.response_started):
            self.transport.write(self._answer(error))
        if under_way:  # whoever waits for the rest of the body learns that nobody sends it
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    def _answer(self, error: ProdigonError) -> bytes:
        path = bytes(getattr(self, "url", b"")).decode("latin-1")
        request_id = next(self._ids)
        answer = error_response(error, request_id, path)
        headers = MutableHeaders(raw=answer.raw_headers)
        headers[REQUEST_ID_HEADER] = request_id
        headers["X-Process-Time"] = "0.00"
        headers["Connection"] = "close"
        lines = [name + b": " + value + b"\r\n" for name, value in (*headers.raw, *CLOSED)]
        return b"".join([STATUS_LINE[error.status], *lines, b"\r\n", answer.body])
