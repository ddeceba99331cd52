"""How often one address may call the gateway.

The headers are those of the IETF's draft-ietf-httpapi-ratelimit-headers: the policy with its quota `q` and
window `w` in seconds, and what remains of it, `r`, until `t` seconds from now.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from prometheus_client import Counter
from starlette.types import Scope

from prodigon_lib.core.errors import RateLimited
from prodigon_lib.core.http.admission import Admission
from prodigon_lib.core.http.client_address import Network, client_address, parse_networks, subscriber
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.security.limiters import Limiter, MemoryLimiter
from prodigon_lib.security.rates import Rate, Verdict

if TYPE_CHECKING:
    from redis.asyncio import Redis

POLICY = "address"
METRICS_PATH = "/metrics"
REDIS_SECONDS = 1.0
"""No request waits longer for Redis than that: it is counted here then."""

CONNECTIONS = 8
"""Few: Redis does one thing at a time, and to make a connection takes longer than a turn on one."""


@dataclass(slots=True)
class AddressLimit:
    """A `Guard` of `RequestMiddleware`."""

    limiter: Limiter
    trusted: tuple[Network, ...]
    refused: Counter
    redis: "Redis | None" = None

    async def __call__(self, scope: Scope) -> Admission:
        if scope["path"] == METRICS_PATH:  # a scraper comes as often as it was told to
            return Admission()
        address = subscriber(client_address(scope, self.trusted))
        verdict = await self.limiter.take(f"{POLICY}:{address}")
        headers = ((b"ratelimit-policy", policy(verdict.rate)), (b"ratelimit", state(verdict)))
        if verdict.allowed:
            return Admission(headers)
        self.refused.labels(POLICY).inc()
        rate = verdict.rate
        message = f"at most {rate.limit} requests in {rate.seconds} s may come from one address"
        return Admission(headers, RateLimited(message, retry_after=verdict.retry_after))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            if self.redis is not None:
                await self.redis.aclose()


def policy(rate: Rate) -> bytes:
    return f'"{POLICY}";q={rate.limit};w={rate.seconds}'.encode()


def state(verdict: Verdict) -> bytes:
    return f'"{POLICY}";r={verdict.remaining};t={ceil(verdict.reset_after)}'.encode()


def address_limit(settings: GatewaySettings, metrics: Metrics) -> AddressLimit | None:
    """The limit that the settings ask for; `None` when they ask for none."""
    if settings.rate_limit is None:
        return None
    rate = Rate.parse(settings.rate_limit)
    refused = Counter(
        "prodigon_rate_limited_total",
        "Requests refused as too many, by the policy that they met.",
        ("policy",),
        registry=metrics.registry,
    )
    trusted = parse_networks(settings.trusted_proxies)
    if settings.redis_url is None:
        return AddressLimit(MemoryLimiter(rate), trusted, refused)
    # Imported only when on: it costs memory that a gateway without it should not pay.
    from prodigon_lib.persistence.redis import open_redis
    from prodigon_lib.security.redis_limiter import RedisLimiter

    alone = Counter(
        "prodigon_rate_limit_without_redis_total",
        "Requests that this process counted for itself, as Redis was away.",
        registry=metrics.registry,
    )
    redis = open_redis(
        settings.redis_url.get_secret_value(),
        pool_size=CONNECTIONS,
        connect_seconds=REDIS_SECONDS,
        answer_seconds=REDIS_SECONDS,
    )
    limiter = RedisLimiter(redis, rate, prefix=settings.redis_prefix, lost=alone.inc)
    return AddressLimit(limiter, trusted, refused, redis)
