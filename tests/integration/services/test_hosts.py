"""Several hosts, one Postgres, one Redis: each service on a machine of its own, one of them cut off a while.

Nothing tells a host that it is cut off, nor the others: connections stay open, and nothing passes.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from prodigon_lib.stack.redis import find_redis
from tests.integration.chaos.clients import GENERATE, Callers, Outcome, callers
from tests.integration.chaos.jobs import (
    MAX_TOKENS,
    PROMPTS,
    all_accepted,
    all_finished,
    check_answers,
    prompts_of,
)
from tests.integration.chaos.ledger import open_ledger, read_books
from tests.integration.services.hosts import Host
from tests.integration.services.servers import PASSWORD
from tests.integration.services.site import INFERENCE, PORTS, REQUESTS, Service, Site, figure, together
from tests.polling import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PROMPTS_TOTAL = "prodigon_prompts_total"
JOBS = 2
DROPPED = "outcomes were dropped: their leases were gone"
HIT = "prodigon; hit"
COMEBACK = 60.0
"""What a host was saying when it was cut off is said again after pauses that double each time."""

GIVES_UP_AFTER = 4.0
ANSWERED_WITHIN = 15.0


@pytest.mark.parametrize("queue", ["postgres", "redis"])
async def test_a_workers_host_is_cut_off_among_200_prompts(site: Site, queue: str) -> None:
    """Each has a model beside it: the one that is cut off goes on working, and its results come late."""
    hosts = [site.net.host(name) for name in ("alpha", "beta", "gamma")]
    await together(site.start("model", host) for host in hosts)
    settings = {"queue_type": queue, "lease_seconds": 3, "worker_concurrency": 4, "connect_seconds": 1}
    settings |= {"model_service_url": "http://127.0.0.1:8001", "jobs_seconds": 4, "breaker_failures": 2}
    if queue == "redis":
        settings["redis_url"] = start_redis(site.net.host("store"), site.logs)
    workers = await together(site.start("worker", host, **settings) for host in hosts)
    urls = ",".join(each.url for each in workers)
    front = await site.start("gateway", site.net.host("front"), worker_service_url=urls, **settings)
    await open_ledger(site.database.url)  # its trigger runs as the role that writes
    answers = await right_answers(hosts[0])
    alpha, beta, gamma = workers

    async with callers(front.url) as crowd:
        jobs = await all_accepted(crowd, "cut", JOBS)
        await eventually(lambda: in_the_middle(workers, beta), within=30, every=0.01)
        beta.host.cut()
        check_answers(await all_finished(crowd, jobs), answers)
        assert await total([alpha, gamma], "prodigon_prompts_reaped_total") > 0  # beta's
        assert DROPPED not in beta.log.read_text()
        beta.host.plug()
        await eventually(lambda: DROPPED in beta.log.read_text(), within=COMEBACK)
        assert await total([beta], PROMPTS_TOTAL, outcome="lost") > 0
        assert await total(workers, PROMPTS_TOTAL, outcome="completed") <= JOBS * PROMPTS
        check_answers(await all_finished(crowd, jobs), answers)

        before = await total([beta], PROMPTS_TOTAL, outcome="completed")
        check_answers(await all_finished(crowd, await all_accepted(crowd, "healed", 1)), answers)
        assert await total([beta], PROMPTS_TOTAL, outcome="completed") > before
    books = await read_books(site.database.local)
    assert (books.twice, books.unfinished, books.wrong, books.in_transaction) == (0, 0, 0, 0), books


async def test_a_models_host_is_cut_off_among_requests(site: Site) -> None:
    """Who waited for it is told in time; the breaker then spares the others that, until it is back."""
    models = await together(site.start("model", site.net.host(name)) for name in ("one", "two", "three"))
    settings = {"connect_seconds": 1, "generate_seconds": GIVES_UP_AFTER, "breaker_failures": 3}
    urls = ",".join(each.url for each in models)
    front = await site.start("gateway", site.net.host("front"), model_service_url=urls, **settings)
    _, lost, _ = models

    async def is_open() -> bool:
        return await figure(front, "prodigon_upstream_circuit_open", address=lost.url) == 1

    async def is_closed() -> bool:
        return not await is_open()

    async with callers(front.url) as crowd, asking(crowd, at_once=12) as outcomes:
        await eventually(lambda: len(outcomes) > 50)
        lost.host.cut()
        await eventually(is_open, within=30)
        told, spared = [each for each in outcomes if not each.ok], len(outcomes)
        await eventually(lambda: len(outcomes) > spared + 100, within=60)
        lost.host.plug()
        await eventually(is_closed, within=30)
        asked = await figure(lost, REQUESTS, route=INFERENCE)
        await eventually(lambda: more_requests(lost, asked), within=30)
    assert max(each.seconds for each in outcomes) < ANSWERED_WITHIN
    assert {each.status for each in outcomes} <= {200, 504}
    assert len([each for each in outcomes if not each.ok]) <= len(told) + 12  # those that waited meanwhile


async def test_a_redis_that_is_cut_off_makes_it_slower_and_not_wrong(site: Site) -> None:
    """What one gateway has asked for, the other need not; without Redis each asks by itself."""
    store = site.net.host("store")
    model = await site.start("model", site.net.host("model"))
    settings = {"cache": "redis", "redis_url": start_redis(store, site.logs), "model_service_url": model.url}
    east, west = await together(site.start("gateway", site.net.host(n), **settings) for n in ("east", "west"))

    first, stored = await answer_of(east)
    assert await answer_of(west) == (first, HIT)
    assert stored != HIT
    assert await figure(model, REQUESTS, route=INFERENCE) == 1
    store.cut()
    for gateway in (east, west):
        text, said = await answer_of(gateway)
        assert text == first
        assert said != HIT
    assert await figure(model, REQUESTS, route=INFERENCE) == 3
    store.plug()
    await eventually(lambda: is_a_hit(west), within=COMEBACK, every=0.2)


def start_redis(host: Host, folder: Path) -> str:
    """Its address, for those on the network."""
    command = [str(find_redis()), "--bind", "0.0.0.0", "--requirepass", PASSWORD]
    command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    host.start(command, {}, folder, folder / "redis.log")
    return f"redis://:{PASSWORD}@{host.address}:6379/0"


async def answer_of(gateway: Service) -> tuple[str, str]:
    """Its text, and what the cache had to do with it."""
    body = {"prompt": "What is a lease?", "max_tokens": 8, "temperature": 0}
    timeout = aiohttp.ClientTimeout(total=ANSWERED_WITHIN)
    async with (
        aiohttp.ClientSession(gateway.url, timeout=timeout, raise_for_status=True) as session,
        session.post(GENERATE, json=body) as answer,
    ):
        return (await answer.json())["text"], answer.headers["Cache-Status"]


async def is_a_hit(gateway: Service) -> bool:
    return (await answer_of(gateway))[1] == HIT


@asynccontextmanager
async def asking(crowd: Callers, *, at_once: int) -> AsyncIterator[list[Outcome]]:
    """Callers that ask again as soon as they are answered, while the block runs; all of them are answered."""
    outcomes: list[Outcome] = []
    over = asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            outcomes.append(await crowd.post(GENERATE, {"prompt": "What is a lease?", "max_tokens": 8}))

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(ask())
        try:
            yield outcomes
        finally:
            over.set()


async def right_answers(host: Host) -> dict[str, str]:
    """What every model says: they have one seed."""
    asked = [prompt for job in range(JOBS) for prompt in prompts_of(job)]
    async with aiohttp.ClientSession(f"http://{host.address}:{PORTS['model']}") as session:

        async def ask(prompt: str) -> str:
            body = {"prompt": prompt, "max_tokens": MAX_TOKENS}
            async with session.post("/inference", json=body, raise_for_status=True) as answer:
                return str((await answer.json())["text"])

        return dict(zip(asked, await asyncio.gather(*map(ask, asked)), strict=True))


async def in_the_middle(workers: Sequence[Service], victim: Service) -> bool:
    done = await total(workers, PROMPTS_TOTAL, outcome="completed")
    return done > 20 and await total([victim], "prodigon_prompts_running") > 1


async def total(services: Sequence[Service], name: str, **labels: str) -> float:
    return sum(await asyncio.gather(*(figure(each, name, **labels) for each in services)))


async def more_requests(service: Service, than: float) -> bool:
    return await figure(service, REQUESTS, route=INFERENCE) > than
