"""Whole answers, from the cache or from the model: which requests may share one, and how."""

from dataclasses import dataclass

import orjson

from prodigon_lib.cache.control import Wish, read_wish
from prodigon_lib.cache.key import cache_key
from prodigon_lib.cache.memory import MemoryStore
from prodigon_lib.cache.metrics import CacheMetrics
from prodigon_lib.cache.responses import Lifetimes, Response, ResponseCache
from prodigon_lib.cache.store import Store
from prodigon_lib.core.http.application import Service
from prodigon_lib.core.ids import UserId
from prodigon_lib.core.schemas.generate import GenerateRequest
from prodigon_lib.gateway.settings import CacheType, GatewaySettings
from prodigon_lib.transport.model import ModelClient

CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class CacheRules:
    """What is shared; as the settings of the same names."""

    default_model: str
    version: str = ""
    any_temperature: bool = False


class CachedAnswers:
    """Whole completions of one model client, through a cache.

    Above a temperature of 0 each answer is meant to be another: it is taken from the cache only where the
    settings say so, or where the request says with `Cache-Control: max-age` that an old one will do.
    """

    def __init__(self, model: ModelClient, cache: ResponseCache, rules: CacheRules) -> None:
        self._model, self._cache, self._rules = model, cache, rules

    async def answer(
        self,
        request: GenerateRequest,
        body: bytes,
        control: str | None = None,
        user: UserId | None = None,
        model: ModelClient | None = None,
    ) -> Response:
        """`body` is the request as it goes to the model, `control` its `Cache-Control`.

        Args:
            user: who asks, once there are accounts.
            model: is asked in place of the usual one.
        """

        async def fetch() -> bytes:
            return await (model or self._model).forward(body)

        wish = read_wish(control)
        if not self._may_share(request, wish):
            return await self._cache.bypass(fetch)
        key = cache_key(
            request, default_model=self._rules.default_model, version=self._rules.version, user=user
        )
        return await self._cache.respond(
            key, fetch, keeps=lambda found: self._is_by(request, found), oldest=wish.oldest
        )

    async def close(self) -> None:
        await self._cache.store.close()

    def _may_share(self, request: GenerateRequest, wish: Wish) -> bool:
        asked_for = self._rules.any_temperature or wish.oldest is not None
        return wish.store and (request.temperature == 0 or asked_for)

    def _is_by(self, request: GenerateRequest, answer: bytes) -> bool:
        """Whether the model that was meant gave it: what its fallback said must not outlast the trouble."""
        meant = request.model or self._rules.default_model
        given = str(orjson.loads(answer)["model"])
        return meant == given or meant.endswith(f":{given}")


def cached_answers(service: Service, settings: GatewaySettings, model: ModelClient) -> CachedAnswers | None:
    """As the settings want it; `None` where they want no cache."""
    if settings.cache is CacheType.NONE:
        return None
    metrics = CacheMetrics(service.metrics)
    cache = ResponseCache(
        store_for(settings, metrics), Lifetimes(keep=settings.cache_seconds), on_outcome=metrics.answered
    )
    rules = CacheRules(settings.default_model, settings.cache_version, settings.cache_any_temperature)
    return CachedAnswers(model, cache, rules)


def store_for(settings: GatewaySettings, metrics: CacheMetrics) -> Store:
    if settings.cache is CacheType.MEMORY:
        memory = MemoryStore(settings.cache_entries, settings.cache_bytes)
        metrics.watch(memory)
        return memory
    return redis_store(settings, metrics)


def redis_store(settings: GatewaySettings, metrics: CacheMetrics) -> Store:
    # Imported only when on: it costs memory that an idle service should not pay.
    from prodigon_lib.cache.redis import RedisStore
    from prodigon_lib.persistence.redis import open_redis

    assert settings.redis_url is not None  # the settings see to it
    seconds = settings.cache_redis_seconds
    redis = open_redis(
        settings.redis_url.get_secret_value(),
        pool_size=CONNECTIONS,
        connect_seconds=seconds,
        answer_seconds=seconds,
    )
    store = RedisStore(redis, settings.redis_prefix, on_error=metrics.failed)
    metrics.watch_away(lambda: store.breaker.open)
    return store
