"""Which provider answers for a model's name, what is tried when it fails, and how long anything may take."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

from prodigon_lib.core.deadline import allowed
from prodigon_lib.core.errors import ModelNotFound, ProdigonError, UpstreamTimeout
from prodigon_lib.core.logging import get_logger
from prodigon_lib.core.schemas.generate import GenerateRequest, ModelCard
from prodigon_lib.model.providers.base import Completion, Opening, Provider, StreamItem

logger = get_logger("router", service="model")

SEPARATOR = ":"
"""Between a provider's name and a model's: `groq:llama-3.3-70b-versatile`. Model names have slashes."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds. `answer` bounds a whole answer and `stream` a stream, fallback included."""

    first_token: float = 30.0
    gap: float = 30.0
    answer: float = 110.0
    stream: float = 600.0


@dataclass(frozen=True, slots=True)
class Attempt:
    provider: Provider
    model: str


OnFallback = Callable[[str, str, str], None]


class Router:
    """Sends a request to the provider of its model, for as long as its caller waits.

    A name alone goes to the main provider, `provider:name` to that one. When the default model fails in a
    way that another may not, and no token has been given yet, the fallback model is asked, once. If that
    fails too, the caller hears the first error.

    Args:
        providers: the first is the main one.
        on_fallback: told the two models' names and the error's code.

    Raises (both calls):
        ModelNotFound: there is no such model.
        UpstreamTimeout: a limit of time has passed.
        ProdigonError: what the provider raised.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        default: str,
        fallback: str | None = None,
        limits: TimeLimits | None = None,
        on_fallback: OnFallback | None = None,
    ) -> None:
        self._providers = list(providers)
        self._default = default
        self._fallback = fallback if fallback != default else None
        self._limits = limits or TimeLimits()
        self._on_fallback = on_fallback

    async def complete(self, request: GenerateRequest) -> Completion:
        attempts = self._attempts(request)
        deadline = now() + allowed(self._limits.answer)
        failed: ProdigonError | None = None
        for number, attempt in enumerate(attempts, start=1):
            left = max(0.0, deadline - now())
            try:
                async with asyncio.timeout(left if number == len(attempts) else left / 2):
                    return await attempt.provider.complete(request, attempt.model)
            except TimeoutError:
                error: ProdigonError = UpstreamTimeout(f"{attempt.model} took too long")
            except ProdigonError as problem:
                error = problem
            failed = self._give_up_or_go_on(failed, error, attempts[number:], attempt)
        raise AssertionError("the last attempt answers or raises")

    async def stream(self, request: GenerateRequest) -> AsyncGenerator[StreamItem]:
        attempts = self._attempts(request)
        deadline = now() + allowed(self._limits.stream)
        failed: ProdigonError | None = None
        for number, attempt in enumerate(attempts, start=1):
            async with aclosing(attempt.provider.stream(request, attempt.model)) as items:
                try:
                    head = await self._head(items, attempt.model, deadline)
                except ProdigonError as error:
                    failed = self._give_up_or_go_on(failed, error, attempts[number:], attempt)
                    continue
                for item in head:
                    yield item
                while (following := await self._next(items, attempt.model, deadline)) is not None:
                    yield following
                return
        raise AssertionError("the last attempt answers or raises")

    async def models(self) -> list[ModelCard]:
        """What can be asked for: the main provider's by their names, the others' by their provider's too.

        A provider that does not answer is left out, unless none does.
        """
        cards: dict[str, ModelCard] = {}
        failed: ProdigonError | None = None
        for provider in self._providers:
            main = provider is self._providers[0]
            try:
                names = await provider.models()
            except ProdigonError as error:
                failed = failed or error
                continue
            for name in names:
                asked_as = name if main else f"{provider.name}{SEPARATOR}{name}"
                cards[asked_as] = ModelCard(id=asked_as, provider=provider.name)
        if not cards and failed is not None:
            raise failed
        return list(cards.values())

    def _attempts(self, request: GenerateRequest) -> list[Attempt]:
        """Whom to ask, in turn."""
        name = request.model or self._default
        attempts = [self._resolve(name)]
        if name == self._default and self._fallback is not None:
            with suppress(ModelNotFound):
                attempts.append(self._resolve(self._fallback))
        return attempts

    def _resolve(self, name: str) -> Attempt:
        prefix, separator, rest = name.partition(SEPARATOR)
        for provider in self._providers:
            if separator and rest and provider.name == prefix:
                return checked(Attempt(provider, rest))
        return checked(Attempt(self._providers[0], name))

    def _give_up_or_go_on(
        self, failed: ProdigonError | None, error: ProdigonError, rest: Sequence[Attempt], attempt: Attempt
    ) -> ProdigonError:
        """The error to remember; raised when there is no use in another attempt."""
        if failed is not None:
            raise failed from error
        if not rest or not error.retryable:
            raise error
        logger.warning("fallback", default=attempt.model, fallback=rest[0].model, code=error.code)
        if self._on_fallback is not None:
            self._on_fallback(attempt.model, rest[0].model, error.code)
        return error

    async def _head(self, items: AsyncGenerator[StreamItem], model: str, deadline: float) -> list[StreamItem]:
        """The opening and the first token: until it is there, another model may still be asked."""
        head: list[StreamItem] = []
        first = min(now() + self._limits.first_token, deadline)
        try:
            async with asyncio.timeout_at(first):
                async for item in items:
                    head.append(item)
                    if not isinstance(item, Opening):
                        break
        except TimeoutError:
            raise UpstreamTimeout(f"{model} gave no first token in time") from None
        return head

    async def _next(
        self, items: AsyncGenerator[StreamItem], model: str, deadline: float
    ) -> StreamItem | None:
        """The next item, or `None` at the end."""
        try:
            async with asyncio.timeout_at(min(now() + self._limits.gap, deadline)):
                return await anext(items, None)
        except TimeoutError:
            late = now() >= deadline
            raise UpstreamTimeout(f"{model} {'was not done in time' if late else 'fell silent'}") from None


def checked(attempt: Attempt) -> Attempt:
    if attempt.provider.knows(attempt.model) is False:
        raise ModelNotFound(f"there is no model {attempt.model!r}; /models lists those there are")
    return attempt


def now() -> float:
    return asyncio.get_running_loop().time()
