"""What the clients give back, where it is more than the wire's own schema."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypedDict, TypeVar

from prodigon_lib.core.schemas.generate import Message, Usage
from prodigon_lib.core.terminal import plain

Item = TypeVar("Item")


class MessageDict(TypedDict):
    """A turn of a conversation, as a plain dictionary."""

    role: str
    content: str


Messages = Sequence[Message | MessageDict]


class Options(TypedDict, total=False):
    """How to generate; the server knows the defaults.

    `max_tokens` is 1 to 8192 (1024), `temperature` 0 to 2 (0.7), `model` the name of one.
    """

    model: str | None
    max_tokens: int | None
    temperature: float | None
    system_prompt: str | None


class SessionChanges(TypedDict, total=False):
    """What may change of a session; `system_prompt=None` removes it."""

    title: str
    system_prompt: str | None


@dataclass(frozen=True, slots=True)
class Generation:
    """A whole completion. `latency_ms` is the model service's own time for it."""

    text: str
    model: str
    usage: Usage
    latency_ms: float
    request_id: str

    def __str__(self) -> str:
        """The text as a terminal may get it; `text` is exact."""
        return plain(self.text)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `next_cursor` is `None` on the last."""

    items: list[Item]
    next_cursor: str | None
