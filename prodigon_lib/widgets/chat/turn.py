"""One turn of a conversation, as it happens."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from prodigon_lib.client import AsyncTokenStream
from prodigon_lib.client.values import Options
from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.widgets.wire import fault_of


class TurnState(StrEnum):
    WAITING = "waiting"
    STREAMING = "streaming"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


ENDED = (TurnState.DONE, TurnState.STOPPED, TurnState.FAILED)


@dataclass
class Turn:
    """A question and what has come of its answer. Times are of this kernel's clock, in seconds."""

    session: str
    content: str
    options: Options
    id: str
    state: TurnState = TurnState.WAITING
    question_id: str | None = None
    answer_id: str | None = None
    request_id: str | None = None
    fault: dict[str, Any] | None = None
    usage: dict[str, int] | None = None
    length: int = 0
    stopping: bool = False
    _pieces: list[str] = field(default_factory=list)
    _asked: float = field(default_factory=time.perf_counter)
    _first: float | None = None
    _last: float | None = None

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def begin(self, tokens: AsyncTokenStream) -> None:
        """The answer has begun: the server has saved the question."""
        self.state = TurnState.STREAMING
        self.question_id, self.answer_id = tokens.user_message_id, tokens.assistant_message_id
        self.request_id = tokens.request_id

    def add(self, token: str) -> None:
        self._last = time.perf_counter()
        self._first = self._first or self._last
        self._pieces.append(token)
        self.length += len(token)

    def complete(self, tokens: AsyncTokenStream) -> None:
        self.state = TurnState.DONE
        self.usage = None if tokens.usage is None else tokens.usage.model_dump()

    def stop(self) -> None:
        self.state, self.answer_id = TurnState.STOPPED, None

    def fail(self, error: Exception) -> None:
        self.state, self.answer_id = TurnState.FAILED, None
        self.fault = fault_of(error)
        if isinstance(error, ProdigonError) and error.request_id:
            self.request_id = error.request_id

    def meta(self) -> dict[str, Any]:
        """What is known of the answer, under the names that the gateway keeps with a message."""
        known: dict[str, Any] = {"model": self.options.get("model"), "usage": self.usage}
        if self._first is not None and self._last is not None:
            known["first_token_ms"] = round((self._first - self._asked) * 1e3, 1)
            known["duration_ms"] = round((self._last - self._asked) * 1e3, 1)
        if self.state is TurnState.STOPPED:
            known.update(stopped=True, tokens=len(self._pieces))
        return known

    def wire(self) -> dict[str, Any]:
        """For a view; its text goes apart, as it comes."""
        return {
            "id": self.id,
            "session": self.session,
            "content": self.content,
            "state": self.state,
            "question_id": self.question_id,
            "answer_id": self.answer_id,
            "request_id": self.request_id,
            "fault": self.fault,
            "length": self.length,
            "meta": self.meta(),
        }
