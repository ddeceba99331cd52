"""Single flight, expiry and faults: with either store, and over two processes' caches that share a Redis."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from prodigon_lib.cache.memory import MemoryStore
from prodigon_lib.cache.redis import RedisStore
from prodigon_lib.cache.responses import Lifetimes, Outcome, ResponseCache
from prodigon_lib.cache.store import Entry, Place, Store
from prodigon_lib.core.errors import UpstreamError
from tests.integration.cache.conftest import redis_store
from tests.integration.redis_server import RedisServer, redis_of_its_own
from tests.polling import eventually

TIMES = Lifetimes(keep=60, lease=0.3, first_look=0.005, last_look=0.02)


class Model:
    """Answers once it is let; counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.let = asyncio.Event()
        self.let.set()
        self.fault: Exception | None = None

    async def __call__(self) -> bytes:
        self.calls += 1
        number = self.calls
        await self.let.wait()
        if self.fault is not None:
            raise self.fault
        return f"answer {number}".encode()


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def cache(store: Store) -> ResponseCache:
    return ResponseCache(store, TIMES)


@pytest.fixture
async def pair(redis_server: RedisServer) -> AsyncIterator[list[ResponseCache]]:
    """As in two processes: nothing shared but Redis."""
    stores = [redis_store(redis_server.url) for _ in range(2)]
    yield [ResponseCache(store, TIMES) for store in stores]
    for store in stores:
        await store.close()


async def ask(cache: ResponseCache, model: Model, key: str = "key") -> Outcome:
    return (await cache.respond(key, model)).outcome


async def test_the_second_time_is_a_hit(cache: ResponseCache, model: Model) -> None:
    first = await cache.respond("key", model)
    second = await cache.respond("key", model)
    assert (first.outcome, first.stored, first.body) == (Outcome.MISS, True, b"answer 1")
    assert (second.outcome, second.body) == (Outcome.HIT, b"answer 1")
    assert 0 <= second.age < 10


async def test_a_hundred_at_once_are_one_call(cache: ResponseCache, model: Model) -> None:
    model.let.clear()
    asking = [asyncio.create_task(ask(cache, model)) for _ in range(100)]
    await eventually(lambda: model.calls)
    model.let.set()
    assert Counter(await asyncio.gather(*asking)) == {Outcome.MISS: 1, Outcome.JOINED: 99}
    assert model.calls == 1


async def test_a_hundred_at_once_in_two_processes_are_one_call(
    pair: list[ResponseCache], model: Model
) -> None:
    model.let.clear()
    asking = [asyncio.create_task(ask(cache, model)) for cache in pair for _ in range(50)]
    await eventually(lambda: model.calls)
    for cache in pair:  # all of them stand at the key, in both
        await eventually(lambda cache=cache: waiting(cache) == 50)
    model.let.set()
    assert Counter(await asyncio.gather(*asking)) == {Outcome.MISS: 1, Outcome.JOINED: 99}
    assert model.calls == 1


def waiting(cache: ResponseCache) -> int:
    return sum(flight.waiting for flight in cache._flights._running.values())


async def test_a_leader_that_crashed_hangs_nobody(pair: list[ResponseCache], model: Model) -> None:
    """What a process leaves behind that was killed while it led: its lease."""
    assert await pair[0].store.claim("key", "killed", TIMES.lease) is Place.LEADS
    asking = [ask(pair[1], model) for _ in range(20)]
    assert Counter(await asyncio.gather(*asking)) == {Outcome.MISS: 1, Outcome.JOINED: 19}
    assert model.calls == 1


async def test_a_leader_that_takes_longer_than_its_lease_keeps_it(
    pair: list[ResponseCache], model: Model
) -> None:
    model.let.clear()
    leading = asyncio.create_task(ask(pair[0], model))
    await eventually(lambda: model.calls)
    following = asyncio.create_task(ask(pair[1], model))
    ends = pair[1].store
    for number in range(3):  # three leases, one after the other, run out meanwhile
        await ends.claim(f"other {number}", "me", TIMES.lease)
        await eventually(lambda number=number: leads(ends, f"other {number}"))
    assert model.calls == 1
    model.let.set()
    assert (await leading, await following) == (Outcome.MISS, Outcome.JOINED)


async def leads(store: Store, key: str) -> bool:
    return await store.claim(key, "another", 0.01) is Place.LEADS


async def test_one_that_is_never_done_does_not_hold_the_others(
    redis_server: RedisServer, model: Model
) -> None:
    store = redis_store(redis_server.url)
    await store.claim("key", "slow", 60)
    cache = ResponseCache(store, Lifetimes(lease=60, patience=0.1))
    assert await ask(cache, model) is Outcome.MISS
    await store.close()


async def test_a_caller_that_leaves_takes_nobody_along(pair: list[ResponseCache], model: Model) -> None:
    model.let.clear()
    first = asyncio.create_task(ask(pair[0], model))
    await eventually(lambda: model.calls)
    second = asyncio.create_task(ask(pair[1], model))
    first.cancel()
    await asyncio.wait({first})
    await eventually(lambda: model.calls == 2)  # nobody else waited there: the call ended, the lease is free
    model.let.set()
    assert await second is Outcome.MISS


async def test_a_fault_is_not_kept(cache: ResponseCache, model: Model) -> None:
    model.fault = UpstreamError("it broke")
    for _ in range(2):
        with pytest.raises(UpstreamError):
            await cache.respond("key", model)
    model.fault = None
    assert await ask(cache, model) is Outcome.MISS
    assert model.calls == 3


async def test_a_leaders_fault_lets_another_process_try_at_once(pair: list[ResponseCache]) -> None:
    pair = [ResponseCache(cache.store, Lifetimes(lease=120, patience=120)) for cache in pair]
    broken, sound = Model(), Model()
    broken.let.clear()
    broken.fault = UpstreamError("it broke")
    first = asyncio.create_task(ask(pair[0], broken))
    await eventually(lambda: broken.calls)
    second = asyncio.create_task(ask(pair[1], sound))
    broken.let.set()
    with pytest.raises(UpstreamError):
        await first
    assert await second is Outcome.MISS


async def test_what_is_not_worth_keeping_is_not_kept(cache: ResponseCache, model: Model) -> None:
    for _ in range(2):
        found = await cache.respond("key", model, keeps=lambda body: False)
        assert (found.outcome, found.stored) == (Outcome.MISS, False)


async def test_an_answer_that_is_too_old_for_one_is_made_anew_for_all(store: Store, model: Model) -> None:
    cache = ResponseCache(store, TIMES)
    await store.fill("key", "", Entry(b"of 1970", 0.0), 60)
    assert (await cache.respond("key", model)).body == b"of 1970"
    fresh = await cache.respond("key", model, oldest=60)
    assert (fresh.outcome, fresh.stored, fresh.body) == (Outcome.REFRESHED, True, b"answer 1")
    assert (await cache.respond("key", model, oldest=60)).outcome is Outcome.HIT
    assert (await cache.respond("key", model, oldest=0)).body == b"answer 2"
    assert (await cache.respond("key", model)).body == b"answer 2"


async def test_what_came_together_does_not_go_together(model: Model) -> None:
    class Kept(MemoryStore):
        async def fill(self, key: str, owner: str, entry: Entry, seconds: float) -> None:
            kept.append(seconds)

    kept: list[float] = []
    store = Kept(entries=1, bytes=1)
    cache = ResponseCache(store, Lifetimes(keep=100, jitter=0.1), chance=random.Random(1))
    for number in range(200):
        await cache.respond(f"key {number}", model, oldest=0)
    assert 90 <= min(kept) < 93
    assert 107 < max(kept) <= 110


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_of_its_own() as server:
        yield server


@pytest.fixture
async def fragile(server: RedisServer) -> AsyncIterator[RedisStore]:
    store = redis_store(server.url, seconds=0.2)
    store.breaker.rest = 0.3
    yield store
    await store.close()


@pytest.mark.parametrize("harm", ["killed", "paused", "full", "ruined"])
async def test_redis_in_trouble_fails_no_request(
    harm: str, server: RedisServer, fragile: RedisStore, model: Model
) -> None:
    cache = ResponseCache(fragile, TIMES)
    await ask(cache, model)
    match harm:
        case "killed":
            server.kill()
        case "paused":
            server.signal(signal.SIGSTOP)
        case "full":
            await fragile._redis.config_set("maxmemory", "1")
        case "ruined":
            await fragile._redis.lpush(fragile._answer("key 5"), "no answer")
    asking = (cache.respond(f"key {number % 10}", model) for number in range(100))
    answers = await asyncio.gather(*asking)
    assert all(answer.body.startswith(b"answer") for answer in answers)


async def test_without_redis_a_process_still_calls_once(
    server: RedisServer, fragile: RedisStore, model: Model
) -> None:
    cache = ResponseCache(fragile, TIMES)
    server.kill()
    model.let.clear()
    asking = [asyncio.create_task(ask(cache, model)) for _ in range(50)]
    await eventually(lambda: waiting(cache) == 50)
    model.let.set()
    assert Counter(await asyncio.gather(*asking)) == {Outcome.MISS: 1, Outcome.JOINED: 49}


async def test_one_that_hangs_is_left_alone_and_then_asked_again(
    server: RedisServer, fragile: RedisStore, model: Model
) -> None:
    cache = ResponseCache(fragile, TIMES)
    await ask(cache, model)
    server.signal(signal.SIGSTOP)
    while not fragile.breaker.open:
        await ask(cache, model)
    fragile.breaker.rest = 60
    fragile.breaker.failed()
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(50):  # each of them would pay the timeout
        await ask(cache, model, f"another {number}")
    assert loop.time() - began < 50 * 0.2 / 4
    fragile.breaker.rest = 0.0
    fragile.breaker.failed()
    server.signal(signal.SIGCONT)

    async def hit() -> bool:
        return await ask(cache, model) is Outcome.HIT

    await eventually(hit)
