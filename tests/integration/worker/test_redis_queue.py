"""What only the queue on Redis does: what a full, a forgetful and a distant Redis means for it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from prodigon_lib.core.errors import UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.core.ids import DEFAULT_USER_ID
from prodigon_lib.core.schemas.jobs import JobStatus
from prodigon_lib.worker.queues import redis as module
from prodigon_lib.worker.queues.base import Retry
from prodigon_lib.worker.queues.redis import RedisQueue
from tests.integration.cancelling import MOMENTS, check_that_it_ends
from tests.integration.redis_server import RedisServer, redis_of_its_own
from tests.integration.worker.jobs import EXPIRED, LONG, claim, complete, enqueue, fail, new_job, view
from tests.polling import eventually


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_server.url, decode_responses=True) as redis:
        yield redis


@pytest.fixture
def mortal() -> Iterator[RedisServer]:
    with redis_of_its_own() as server:
        yield server


@asynccontextmanager
async def opened(url: str, **options: int) -> AsyncIterator[RedisQueue]:
    queue = RedisQueue(url, **options)
    await queue.open()
    try:
        yield queue
    finally:
        await queue.close()


async def test_the_group_knows_who_has_what_and_forgets_what_ended(
    redis_queue: RedisQueue, redis: Redis
) -> None:
    await enqueue(redis_queue, "a", "b", "c")
    (a,) = await claim(redis_queue, 1, worker="one")
    (b,) = await claim(redis_queue, 1, worker="two")
    consumers = await redis.xinfo_consumers("prodigon:prompts", "workers")
    assert {each["name"]: each["pending"] for each in consumers} == {"one": 1, "two": 1}
    await redis_queue.release([b])
    again = await claim(redis_queue, 2, worker="one")
    assert [each.prompt for each in again] == ["b", "c"]
    assert (await redis.xpending("prodigon:prompts", "workers"))["pending"] == 3
    await complete(redis_queue, a, *again)
    assert (await redis.xpending("prodigon:prompts", "workers"))["pending"] == 0
    assert await redis.xlen("prodigon:prompts") == 0


async def test_what_is_pruned_leaves_no_key_behind(redis_queue: RedisQueue, redis: Redis) -> None:
    await enqueue(redis_queue, "a", "b", idempotency_key="k")
    a, b = await claim(redis_queue)
    await complete(redis_queue, a)
    await fail(redis_queue, b)
    cancelled = await enqueue(redis_queue, "c", "d", "e")
    c, _ = await claim(redis_queue, 2)
    await redis_queue.retry([Retry(c, LONG)])
    await redis_queue.cancel(DEFAULT_USER_ID, cancelled.job_id)
    assert await redis_queue.prune(0, 100) == 2
    assert set(await redis.keys()) == {"prodigon:prompts", "prodigon:clock"}


async def test_the_texts_of_what_will_not_run_again_are_dropped(
    redis_queue: RedisQueue, redis: Redis
) -> None:
    await enqueue(redis_queue, "a")
    await complete(redis_queue, *await claim(redis_queue))
    assert not await redis.keys("*:prompts:*")
    assert [key for key in await redis.keys("prodigon:job:*") if key.endswith(":prompts")] == []


async def test_a_retry_that_is_due_comes_before_what_came_after_it(redis_queue: RedisQueue) -> None:
    await enqueue(redis_queue, "first")
    await redis_queue.retry([Retry(each, 0.0) for each in await claim(redis_queue)])
    await enqueue(redis_queue, "second")
    assert [each.prompt for each in await claim(redis_queue)] == ["first", "second"]


async def test_times_are_never_the_same_and_never_go_back(redis_queue: RedisQueue, redis: Redis) -> None:
    """As when the machine's clock was set back: the last number given lies ahead of it."""
    first = await enqueue(redis_queue, "a")
    await redis.incrby("prodigon:clock", 3_600_000_000)
    jobs = [first, *await redis_queue.enqueue([new_job("b"), new_job("c")]), await enqueue(redis_queue, "d")]
    assert jobs[1].created_at - first.created_at >= timedelta(hours=1)
    assert [each.prompt for each in await claim(redis_queue)] == ["a", "b", "c", "d"]
    found = await redis_queue.page(DEFAULT_USER_ID, status=None, limit=10, cursor=None)
    assert [job.job_id for job in found.jobs] == [job.job_id for job in reversed(jobs)]
    assert (await redis_queue.depth()).oldest >= 0


async def test_a_full_redis_takes_no_new_job_and_ends_those_it_has(
    redis_queue: RedisQueue, redis: Redis
) -> None:
    job = await enqueue(redis_queue, "a", "b", "c")
    (a,) = await claim(redis_queue, 1)
    try:
        await redis.config_set("maxmemory", "1")
        with pytest.raises(UpstreamUnavailable, match="no more writes"):
            await enqueue(redis_queue, "d")
        assert await redis_queue.extend([a], LONG) == [a]
        await redis_queue.retry([Retry(a, 0.0)])
        with pytest.raises(UpstreamUnavailable):  # also when there is a retry to be moved up first
            await enqueue(redis_queue, "d")
        await eventually(lambda: ended(redis_queue, job))
        assert await redis_queue.prune(0, 10) == 1
    finally:
        await redis.config_set("maxmemory", "0")
    assert (await redis_queue.depth()).running == 0


async def ended(queue: RedisQueue, job: object) -> bool:
    await complete(queue, *await claim(queue))
    return (await view(queue, job)).status is JobStatus.COMPLETED


async def test_a_server_without_the_scripts_is_given_them(redis_queue: RedisQueue, redis: Redis) -> None:
    await enqueue(redis_queue, "a")
    await redis.script_flush()
    assert [each.prompt for each in await claim(redis_queue)] == ["a"]


async def test_workers_that_are_gone_are_forgotten_but_for_what_they_hold(
    redis_queue: RedisQueue, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FORGET_WORKERS_SECONDS", -1)
    await enqueue(redis_queue, "a", "b")
    (a,) = await claim(redis_queue, 1, worker="quick")
    await claim(redis_queue, 1, worker="gone", lease=EXPIRED)
    await complete(redis_queue, a)
    await eventually(lambda: released(redis_queue))
    consumers = await redis.xinfo_consumers("prodigon:prompts", "workers")
    assert [each["name"] for each in consumers] == ["gone"]
    assert [each.prompt for each in await claim(redis_queue)] == ["b"]


async def released(queue: RedisQueue) -> bool:
    return (await queue.reap(9)).released == 1


async def test_a_job_that_somebody_deleted_does_not_stop_the_queue(
    redis_queue: RedisQueue, redis: Redis
) -> None:
    """Waiting, running or delayed: what is left of it goes, and the others go on."""
    gone = [await enqueue(redis_queue, "runs", "runs"), await enqueue(redis_queue, "delayed")]
    *_, delayed = await claim(redis_queue, lease=EXPIRED)
    gone.append(await enqueue(redis_queue, "waits"))
    await enqueue(redis_queue, "there")
    await redis_queue.retry([Retry(delayed, 0.0)])
    await redis.delete(*(f"prodigon:job:{job.job_id}" for job in gone))
    assert (await redis_queue.reap(9)).released == 0
    assert [each.prompt for each in await claim(redis_queue)] == ["there"]
    depth = await redis_queue.depth()
    assert (depth.ready, depth.delayed, depth.running) == (0, 0, 1)


async def test_many_waiters_share_one_connection(redis_server: RedisServer, redis: Redis) -> None:
    async with opened(redis_server.url, pool_size=3) as queue:
        waiting = [asyncio.create_task(queue.wait_for_work(LONG)) for _ in range(40)]
        watching = [asyncio.create_task(queue.depth()) for _ in range(40)]
        await asyncio.gather(*watching)
        clients = await redis.client_list()
        assert queue.connections[0] <= 3
        assert len(clients) <= 3 + 1 + 1  # the pool, the listener, and who asks
        await eventually(lambda: subscribed(redis))
        await enqueue(queue, "a")
        await asyncio.wait_for(asyncio.gather(*waiting), 5)


async def subscribed(redis: Redis) -> bool:
    return dict(await redis.pubsub_numsub("prodigon:work"))["prodigon:work"] == 1


async def test_a_wake_up_that_came_while_the_listener_was_away_is_made_up_for(mortal: RedisServer) -> None:
    async with opened(mortal.url) as queue, Redis.from_url(mortal.url, decode_responses=True) as other:
        await eventually(lambda: subscribed(other))
        assert await claim(queue) == []
        waiting = asyncio.create_task(queue.wait_for_work(LONG))
        await other.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await asyncio.wait_for(waiting, 10)


async def test_a_call_that_was_given_up_leaves_its_answer_to_nobody(mortal: RedisServer) -> None:
    async with opened(mortal.url, pool_size=1) as queue:
        await enqueue(queue, "a", "b")
        for moment in MOMENTS:
            await check_that_it_ends(queue.depth(), moment)
            assert len((await queue.page(DEFAULT_USER_ID, status=None, limit=1, cursor=None)).jobs) == 1
            if moment % 2:
                await queue._connections.client.connection_pool.disconnect()


async def test_one_that_hangs_and_goes_on_has_lost_nothing(
    mortal: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prodigon_lib.worker.queues.redis_connections.ANSWER_SECONDS", 0.2)
    async with opened(mortal.url) as queue:
        await enqueue(queue, "a", "b")
        (a,) = await claim(queue, 1)
        mortal.signal(signal.SIGSTOP)
        for call in (lambda: claim(queue, 1, lease=1.0), lambda: complete(queue, a)):
            with pytest.raises((UpstreamTimeout, UpstreamUnavailable)):
                await call()
        mortal.signal(signal.SIGCONT)
        # It reads what was sent to it meanwhile, too: then the claim runs out, as that of a lost worker does.
        found = await eventually(lambda: claimed_again(queue), within=10)
        assert [each.prompt for each in found] == ["b"]
        await complete(queue, a, *found)
        assert (await queue.page(DEFAULT_USER_ID, status=None, limit=1, cursor=None)).jobs[0].results == [
            "answer to a",
            "answer to b",
        ]


async def claimed_again(queue: RedisQueue) -> list[object]:
    await queue.reap(9)
    return list(await claim(queue))
