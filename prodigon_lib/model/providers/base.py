"""The protocol that every provider of completions keeps."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from prodigon_lib.core.schemas.generate import GenerateRequest, Usage

RATE_LIMIT_PREFIX = "x-ratelimit-"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    prompt: float
    completion: float

    def of(self, usage: Usage) -> float:
        """What a completion cost, in US dollars."""
        return (self.prompt * usage.prompt_tokens + self.completion * usage.completion_tokens) / 1e6


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer. `headers` are the provider's rate-limit headers, in lower case."""

    text: str
    model: str
    usage: Usage
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known before the first token: which model answers, and its rate-limit headers.

    `paced` is false when all tokens are there at once, so that a carrier may put several into one write.
    """

    model: str
    headers: Mapping[str, str] = field(default_factory=dict)
    paced: bool = True


StreamItem = Opening | str | Usage
"""One `Opening`, then the tokens, then one `Usage`."""


class Provider(Protocol):
    """Something that completes prompts.

    Raises (both calls): a `ProdigonError` whose `retryable` says whether another model may do better. A
    stream's fault may come at any point.
    """

    name: str

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def complete(self, request: GenerateRequest, model: str) -> Completion: ...

    def stream(self, request: GenerateRequest, model: str) -> AsyncGenerator[StreamItem]:
        """Closing the iterator ends the call at once."""
        ...

    async def models(self) -> list[str]:
        """The names that can be asked for. Bounded in time."""
        ...

    def knows(self, model: str) -> bool | None:
        """Whether there is such a model; `None` when only asking would tell."""
        ...

    def price(self, model: str) -> Price | None:
        """`None` when it is not known."""
        ...
