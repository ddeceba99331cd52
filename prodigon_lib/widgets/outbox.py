"""What goes to the browser, gathered: however fast things happen, a page gets few messages a second."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

Message = dict[str, Any]
Send = Callable[[Message, list[bytes]], None]

PER_SECOND = 25
"""Below the thirty that a page is promised, since timers are late more often than early."""


class Outbox:
    """Messages in, batches out. The first leaves at once; those after it wait for the next beat.

    Use it in one event loop only.
    """

    def __init__(self, send: Send, *, per_second: float = PER_SECOND) -> None:
        self._send = send
        self._beat = 1 / per_second
        self._messages: list[Message] = []
        self._buffers: list[bytes] = []
        self._pieces: dict[str, tuple[Message, list[str]]] = {}
        self._latest: dict[str, Message] = {}
        self._next_beat = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def post(self, message: Message, buffers: Sequence[bytes] = ()) -> None:
        """Send it with the next batch, after what was posted before it, text too."""
        self._seal()
        if buffers:
            message = {**message, "buffers": len(buffers)}
            self._buffers.extend(buffers)
        self._append(message)

    def post_latest(self, key: str, message: Message) -> None:
        """Of several with one key in a batch, only the last leaves, in the place of the first."""
        if key in self._latest:
            waiting = self._latest[key]
            waiting.clear()
            waiting.update(message)
        else:
            self._latest[key] = kept = dict(message)
            self._append(kept)

    def post_text(self, key: str, message: Message, text: str) -> None:
        """Texts of one key, up to the next `post`, leave as one: the first message, all as its `text`."""
        if key in self._pieces:
            self._pieces[key][1].append(text)
        else:
            self._pieces[key] = (message, [text])
            self._append(message)

    def flush(self) -> None:
        """Send what waits, now."""
        self._timer = None
        if not self._messages:
            return
        self._seal()
        batch, buffers = self._messages, self._buffers
        self._messages, self._buffers = [], []
        self._latest.clear()
        self._next_beat = asyncio.get_running_loop().time() + self._beat
        self._send({"batch": batch}, buffers)

    def close(self) -> None:
        """Drop what waits."""
        if self._timer is not None:
            self._timer.cancel()
        self._messages, self._buffers = [], []

    def _seal(self) -> None:
        for message, pieces in self._pieces.values():
            message["text"] = "".join(pieces)
        self._pieces.clear()

    def _append(self, message: Message) -> None:
        self._messages.append(message)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(self._next_beat, loop.time()), self.flush)
