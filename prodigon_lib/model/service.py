"""The model service without a face: what HTTP, gRPC and the monolith call alike."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from prodigon_lib.core.http.application import Service
from prodigon_lib.core.logging import get_logger
from prodigon_lib.core.rotation import Secrets
from prodigon_lib.core.schemas.generate import GenerateRequest, GenerateResponse, ModelCard
from prodigon_lib.model.metrics import ModelMetrics
from prodigon_lib.model.observed import ObservedProvider
from prodigon_lib.model.providers.base import Completion, Provider, StreamItem
from prodigon_lib.model.providers.groq import GroqProvider
from prodigon_lib.model.providers.openai_compatible import OpenAICompatibleProvider
from prodigon_lib.model.providers.simulated.controls import Controls
from prodigon_lib.model.providers.simulated.profiles import ProfileName
from prodigon_lib.model.providers.simulated.provider import SimulatedProvider
from prodigon_lib.model.router import Router, TimeLimits
from prodigon_lib.model.settings import ModelSettings

logger = get_logger("model", service="model")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole completion, with the provider's rate-limit headers beside it."""

    completion: Completion
    latency_ms: float

    def response(self) -> GenerateResponse:
        return GenerateResponse(
            text=self.completion.text,
            model=self.completion.model,
            usage=self.completion.usage,
            latency_ms=self.latency_ms,
        )


class ModelService:
    """Completions from whichever providers the settings turn on. Use it between `opened()` and its end."""

    def __init__(
        self,
        settings: ModelSettings,
        service: Service,
        *,
        providers: Sequence[Provider] | None = None,
    ) -> None:
        """`providers`, the main one first, take the place of those that the settings turn on."""
        self.settings = settings
        metrics = ModelMetrics(service.metrics)
        self.providers = (
            list(providers) if providers is not None else make_providers(settings, service.secrets)
        )
        observed = [ObservedProvider(each, service.telemetry, metrics) for each in self.providers]
        self.router = Router(
            observed,
            default=settings.default_model,
            fallback=settings.fallback_model,
            limits=TimeLimits(
                first_token=settings.first_token_seconds,
                gap=settings.token_gap_seconds,
                answer=settings.answer_seconds,
                stream=settings.stream_seconds,
            ),
            on_fallback=lambda *labels: metrics.fallbacks.labels(*labels).inc(),
        )

    @property
    def simulated(self) -> SimulatedProvider | None:
        """The simulated model, when it is there to be asked."""
        return next((each for each in self.providers if isinstance(each, SimulatedProvider)), None)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        if not self.settings.live and not self.settings.use_mock:
            logger.warning("no GROQ_API_KEY is set: the simulated model answers")
        async with AsyncExitStack() as stack:
            for provider in self.providers:
                await provider.open()
                stack.push_async_callback(provider.close)
            yield

    async def generate(self, request: GenerateRequest) -> Answer:
        """Raises: see `Router`."""
        started = time.perf_counter()
        completion = await self.router.complete(request)
        return Answer(completion, round((time.perf_counter() - started) * 1000, 2))

    def stream(self, request: GenerateRequest) -> AsyncGenerator[StreamItem]:
        """An `Opening`, the tokens, a `Usage`. Closing the iterator ends the provider's call."""
        return self.router.stream(request)

    async def models(self) -> list[ModelCard]:
        return await self.router.models()


def make_providers(settings: ModelSettings, secrets: Secrets) -> list[Provider]:
    """Those that are on, the main one first.

    The simulated model is the main one with `USE_MOCK`, and when nothing else is configured. In development
    it is always there to be asked by its name, so that an experiment never needs a learner's key.
    """
    live: list[Provider] = []
    connect, silence = settings.provider_connect_seconds, settings.token_gap_seconds
    if (key := secrets.rotating(settings, "groq_api_key")) is not None:
        live.append(GroqProvider(key, settings.groq_base_url, connect=connect, silence=silence))
    if settings.openai_compatible_url is not None:
        url, key = settings.openai_compatible_url, secrets.rotating(settings, "openai_compatible_key")
        live.append(OpenAICompatibleProvider(url, key, connect=connect, silence=silence))
    simulated: list[Provider] = []
    if settings.use_mock or not settings.in_production:
        simulated.append(make_simulated(settings))
    return [*simulated, *live] if settings.use_mock else [*live, *simulated]


def make_simulated(settings: ModelSettings) -> SimulatedProvider:
    """It also answers to the names that the settings give the default and the fallback model."""
    return SimulatedProvider(
        Controls(profile=settings.simulated_profile, seed=settings.simulated_seed),
        stand_ins={
            settings.fallback_model: ProfileName.SMALL,
            settings.default_model: ProfileName.LARGE,
        },
    )
