"""How often one address, and one user, may call the gateway.

The headers are those of the IETF's draft-ietf-httpapi-ratelimit-headers: the policy with its quota `q` and
window `w` in seconds, and what remains of it, `r`, until `t` seconds from now.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from prometheus_client import Counter
from starlette.types import Scope

from prodigon_lib.core.errors import RateLimited
from prodigon_lib.core.http.admission import Admission
from prodigon_lib.core.http.client_address import Network, client_address, parse_networks, subscriber
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.principal import Principal
from prodigon_lib.gateway.access import PRINCIPAL
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.security.limiters import Limiter, MemoryLimiter
from prodigon_lib.security.rates import Rate, Verdict

if TYPE_CHECKING:
    from redis.asyncio import Redis

METRICS_PATH = "/metrics"
REDIS_SECONDS = 1.0
"""No request waits longer for Redis than that: it is counted here then."""

CONNECTIONS = 8
"""Few: Redis does one thing at a time, and to make a connection takes longer than a turn on one."""

Caller = Callable[[Scope], str | None]
"""Whom a request is counted for; `None` for one that counts for nobody."""

MakeLimiter = Callable[[Rate], Limiter]


@dataclass(slots=True)
class RateLimit:
    """A `Guard` of `RequestMiddleware`.

    Args:
        policy: its name in headers and metrics.
        who: the same, for people.
    """

    policy: str
    who: str
    caller: Caller
    limiter: Limiter
    refused: Counter

    async def __call__(self, scope: Scope) -> Admission:
        caller = self.caller(scope)
        if caller is None:
            return Admission()
        verdict = await self.limiter.take(f"{self.policy}:{caller}")
        headers = ((b"ratelimit-policy", self._rate(verdict.rate)), (b"ratelimit", self._state(verdict)))
        if verdict.allowed:
            return Admission(headers)
        self.refused.labels(self.policy).inc()
        rate = verdict.rate
        message = f"at most {rate.limit} requests in {rate.seconds} s may come from one {self.who}"
        return Admission(headers, RateLimited(message, retry_after=verdict.retry_after))

    def _rate(self, rate: Rate) -> bytes:
        return f'"{self.policy}";q={rate.limit};w={rate.seconds}'.encode()

    def _state(self, verdict: Verdict) -> bytes:
        return f'"{self.policy}";r={verdict.remaining};t={ceil(verdict.reset_after)}'.encode()


@dataclass(slots=True)
class RateLimits:
    """Those that the settings ask for. They share one Redis, where there is one."""

    address: RateLimit | None = None
    principal: RateLimit | None = None
    redis: "Redis | None" = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            if self.redis is not None:
                await self.redis.aclose()


def address_of(scope: Scope, *, trusted: tuple[Network, ...]) -> str | None:
    if scope["path"] == METRICS_PATH:  # a scraper comes as often as it was told to
        return None
    return subscriber(client_address(scope, trusted))


def user_of(scope: Scope) -> str | None:
    """The user that a guard before let in. All their logins and keys count together."""
    principal: Principal | None = scope.get("state", {}).get(PRINCIPAL)
    return str(principal.user) if principal is not None else None


def rate_limits(settings: GatewaySettings, metrics: Metrics) -> RateLimits:
    limits = RateLimits()
    if settings.rate_limit is None and settings.user_rate_limit is None:
        return limits
    refused = Counter(
        "prodigon_rate_limited_total",
        "Requests refused as too many, by the policy that they met.",
        ("policy",),
        registry=metrics.registry,
    )
    make = MemoryLimiter if settings.redis_url is None else over_redis(limits, settings, metrics)
    if settings.rate_limit is not None:
        limiter = make(Rate.parse(settings.rate_limit))
        caller = partial(address_of, trusted=parse_networks(settings.trusted_proxies))
        limits.address = RateLimit("address", "address", caller, limiter, refused)
    if settings.user_rate_limit is not None:
        limiter = make(Rate.parse(settings.user_rate_limit))
        limits.principal = RateLimit("principal", "user", user_of, limiter, refused)
    return limits


def over_redis(limits: RateLimits, settings: GatewaySettings, metrics: Metrics) -> MakeLimiter:
    # Imported only when on: it costs memory that a gateway without it should not pay.
    from prodigon_lib.persistence.redis import open_redis
    from prodigon_lib.security.redis_limiter import RedisLimiter

    assert settings.redis_url is not None  # the caller looked
    alone = Counter(
        "prodigon_rate_limit_without_redis_total",
        "Requests that this process counted for itself, as Redis was away.",
        registry=metrics.registry,
    )
    limits.redis = open_redis(
        settings.redis_url.get_secret_value(),
        pool_size=CONNECTIONS,
        connect_seconds=REDIS_SECONDS,
        answer_seconds=REDIS_SECONDS,
    )
    return partial(RedisLimiter, limits.redis, prefix=settings.redis_prefix, lost=alone.inc)
