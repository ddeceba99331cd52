"""A provider that is watched: a span, and figures, for each call."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from prodigon_lib.core.errors import ModelNotFound, ProdigonError
from prodigon_lib.core.schemas.generate import GenerateRequest, Usage
from prodigon_lib.core.telemetry import Span, Telemetry, mark_failed
from prodigon_lib.model.metrics import UNKNOWN, ModelMetrics
from prodigon_lib.model.providers.base import Completion, Price, Provider, StreamItem

FIRST_TOKEN = "first token"  # noqa: S105


class Call:
    """One call to a provider while it runs. Attributes are named as OpenTelemetry's for generative AI."""

    def __init__(self, span: Span, provider: Provider, metrics: ModelMetrics, model: str) -> None:
        self.started = time.perf_counter()
        self.model = model
        self.tokens = 0
        self._span = span
        self._provider = provider
        self._metrics = metrics

    def token(self) -> None:
        self.tokens += 1
        if self.tokens == 1:
            seconds = time.perf_counter() - self.started
            self._span.add_event(FIRST_TOKEN)
            self._span.set_attribute("gen_ai.time_to_first_token_ms", round(seconds * 1000, 2))
            self._metrics.first_token.labels(self._provider.name, self.model).observe(seconds)

    def used(self, usage: Usage) -> None:
        """All that was paid for; at most once a call."""
        self._span.set_attribute("gen_ai.usage.input_tokens", usage.prompt_tokens)
        self._span.set_attribute("gen_ai.usage.output_tokens", usage.completion_tokens)
        self._metrics.count_tokens(self.model, usage)
        price = self._provider.price(self.model)
        if price is not None:
            self._metrics.cost.labels(self._provider.name, self.model).inc(price.of(usage))

    def ended(self, outcome: str) -> None:
        self._span.set_attribute("gen_ai.response.model", self.model)
        labels = self._provider.name, self.model
        self._metrics.calls.labels(*labels, outcome).inc()
        self._metrics.seconds.labels(*labels).observe(time.perf_counter() - self.started)


class ObservedProvider:
    """The same calls as the provider inside."""

    def __init__(self, provider: Provider, telemetry: Telemetry, metrics: ModelMetrics) -> None:
        self.provider = provider
        self.name = provider.name
        self._telemetry = telemetry
        self._metrics = metrics

    async def open(self) -> None:
        await self.provider.open()

    async def close(self) -> None:
        await self.provider.close()

    async def models(self) -> list[str]:
        return await self.provider.models()

    def knows(self, model: str) -> bool | None:
        return self.provider.knows(model)

    def price(self, model: str) -> Price | None:
        return self.provider.price(model)

    async def complete(self, request: GenerateRequest, model: str) -> Completion:
        with self._call(model) as call:
            completion = await self.provider.complete(request, model)
            call.model = completion.model
            call.used(completion.usage)
            return completion

    async def stream(self, request: GenerateRequest, model: str) -> AsyncGenerator[StreamItem]:
        with self._call(model) as call:
            async with aclosing(self.provider.stream(request, model)) as items:
                async for item in items:
                    if isinstance(item, str):
                        call.token()
                    elif isinstance(item, Usage):
                        call.used(item)
                    yield item

    @contextmanager
    def _call(self, model: str) -> Iterator[Call]:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": self.name,
            "gen_ai.request.model": model,
        }
        in_flight = self._metrics.in_flight.labels(self.name)
        in_flight.inc()
        outcome = "ok"
        with self._telemetry.outgoing(f"provider {self.name}", attributes) as span:
            call = Call(span, self.provider, self._metrics, model)
            try:
                yield call
            except ProdigonError as error:
                outcome = error.code
                if isinstance(error, ModelNotFound):
                    call.model = UNKNOWN
                mark_failed(span, error.message)
                raise
            except (asyncio.CancelledError, GeneratorExit):
                outcome = "cancelled"
                span.set_attribute("cancelled", True)
                raise
            except Exception as error:
                outcome = type(error).__name__
                mark_failed(span, outcome)
                raise
            finally:
                in_flight.dec()
                call.ended(outcome)
