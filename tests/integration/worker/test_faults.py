"""What the worker survives: a killed worker, SIGTERM, Postgres or Redis restarted, Postgres late."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import httpx
import pytest

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.schemas.jobs import JobStatus, JobView
from prodigon_lib.persistence.migrations import upgrade
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.worker.app import create_app
from prodigon_lib.worker.queues import connections, outage, redis_connections
from prodigon_lib.worker.queues.base import Queue
from prodigon_lib.worker.settings import WorkerSettings
from tests.integration.conftest import server_of_its_own
from tests.integration.redis_server import RedisServer, redis_of_its_own
from tests.integration.serving import serving
from tests.integration.worker.fake_model import FakeModel, model_service
from tests.integration.worker.jobs import enqueue, new_job, view
from tests.integration.worker.processes import WorkerProcess, worker_process
from tests.integration.worker.stores import PostgresStore, RedisStore, Store
from tests.integration.worker.working import working
from tests.polling import eventually

LEASE = 2.0


@pytest.fixture
async def model() -> AsyncIterator[tuple[FakeModel, str]]:
    model = FakeModel(seconds=0.1)
    async with serving(model_service(model)) as url:
        yield model, url
        model.gate.set()


async def all_done(queue: Queue, jobs: list[JobView]) -> list[JobView] | None:
    views = [await view(queue, job) for job in jobs]
    return views if all(job.status.finished for job in views) else None


async def test_a_killed_workers_prompts_are_done_by_the_other(
    store: Store, shared_queue: Queue, model: tuple[FakeModel, str]
) -> None:
    fake, model_url = model
    jobs = await shared_queue.enqueue([new_job(*(f"{n}.{at}" for at in range(50))) for n in range(4)])
    kill_after = random.Random().randrange(30, 110)
    options = {"lease_seconds": LEASE, "worker_concurrency": 8}
    async with AsyncExitStack() as stack:
        fake.gate.clear()  # until both have claimed
        workers = [
            await stack.enter_async_context(worker_process(name, store, model_url, **options))
            for name in ("one", "two")
        ]
        await eventually(lambda: fake.in_flight == 16)
        fake.gate.set()
        await eventually(lambda: fake.calls.total() - fake.in_flight >= kill_after)
        workers[0].kill()
        views = await eventually(lambda: all_done(shared_queue, jobs), within=LEASE * 1.5 + 15)
    for n, done in enumerate(views):
        assert (done.status, done.errors) == (JobStatus.COMPLETED, [])
        assert done.results == [f"answer to {n}.{at}" for at in range(50)]
    # Only what the killed worker had in its hands was asked again.
    twice = [prompt for prompt, count in fake.calls.items() if count > 1]
    assert len(twice) <= 8
    numbers = {job.job_id: n for n, job in enumerate(jobs)}
    states = await store.states()
    again = {f"{numbers[job]}.{at}" for (job, at), (_, attempts) in states.items() if attempts > 1}
    assert again >= set(twice)


@pytest.mark.parametrize("watched", [False, True])
async def test_sigterm_drains(
    store: Store, shared_queue: Queue, model: tuple[FakeModel, str], watched: bool
) -> None:
    fake, model_url = model
    fake.gate.clear()
    job = await enqueue(shared_queue, *(f"{n}" for n in range(10)))
    async with worker_process("one", store, model_url, worker_concurrency=4) as worker:
        await eventually(lambda: fake.in_flight == 4)
        if watched:
            opened = asyncio.Event()
            watching = asyncio.create_task(watch(worker, job, opened))
            await opened.wait()
        worker.terminate()
        asyncio.get_running_loop().call_later(0.5, fake.gate.set)
        assert await worker.ended() in (0, -signal.SIGTERM)
        if watched:
            assert "SERVICE_UNAVAILABLE" in await watching
    now = await view(shared_queue, job)
    assert [result is not None for result in now.results] == [True] * 4 + [False] * 6
    assert Counter((await store.states()).values()) == {("completed", 1): 4, ("pending", 0): 6}
    assert fake.calls.total() == 4


async def watch(worker: WorkerProcess, job: JobView, opened: asyncio.Event) -> str:
    """The whole of a stream that the worker ends."""
    text = ""
    path = f"{worker.url}/jobs/{job.job_id}/events"
    async with httpx.AsyncClient(timeout=20) as client, client.stream("GET", path) as answer:
        async for piece in answer.aiter_text():
            opened.set()
            text += piece
    return text


async def test_sigterm_gives_back_what_does_not_end_in_time(
    store: Store, shared_queue: Queue, model: tuple[FakeModel, str]
) -> None:
    fake, model_url = model
    fake.gate.clear()
    await enqueue(shared_queue, "a", "b")
    async with worker_process("one", store, model_url, shutdown_seconds=0.5) as worker:
        await eventually(lambda: fake.in_flight == 2)
        worker.terminate()
        await worker.ended()
    assert list((await store.states()).values()) == [("pending", 0)] * 2
    await eventually(lambda: fake.cancelled.total() == 2)


class CountingLog:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, event: str, **_: object) -> None:
        self.lines.append(event)

    info = exception = warning


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> CountingLog:
    log = CountingLog()
    for module in (connections, redis_connections, outage):
        monkeypatch.setattr(module, "logger", log)
    return log


@dataclass(frozen=True)
class Mortal:
    """A server of the test's own that keeps what it has acknowledged.

    Args:
        ends: how it is ended: in order, then as if it had crashed.
    """

    store: Store
    ends: tuple[signal.Signals, ...]
    restart: Callable[[signal.Signals], None]


@pytest.fixture(params=["postgres", "redis"])
def mortal(request: pytest.FixtureRequest) -> Iterator[Mortal]:
    if request.param == "redis":
        with redis_of_its_own() as redis:
            ends = (signal.SIGTERM, signal.SIGKILL)
            yield Mortal(RedisStore(redis.url), ends, lambda how: restart_redis(redis, how))
        return
    with server_of_its_own({}) as server:
        url = parse_database_url(server.url())
        upgrade(url)
        ends = (signal.SIGINT, signal.SIGQUIT)
        yield Mortal(PostgresStore(url), ends, lambda how: restart(server, how))


async def test_a_restart_under_load_loses_nothing(mortal: Mortal, log: CountingLog) -> None:
    model = FakeModel(seconds=0.02)
    accepted: list[JobView] = []
    stop = asyncio.Event()

    async def submit(queue: Queue) -> None:
        """As a careful client does: after a fault again, under the same key."""
        for n in range(10_000):
            while not stop.is_set():
                with suppress(ProdigonError):
                    accepted.append(await enqueue(queue, f"{n}a", f"{n}b", idempotency_key=f"{n}"))
                    break
                await asyncio.sleep(0.05)
            if stop.is_set():
                return

    async with AsyncExitStack() as stack:
        options = {"lease_seconds": LEASE, "worker_concurrency": 4}
        first, _ = [
            await stack.enter_async_context(working(mortal.store.queue(), model, **options)) for _ in range(2)
        ]
        submitting = asyncio.create_task(submit(first.queue))
        for end in mortal.ends:
            done = len(accepted)
            await eventually(lambda done=done: len(accepted) > done + 30)
            await asyncio.to_thread(mortal.restart, end)
        done = len(accepted)
        await eventually(lambda: len(accepted) > done + 10)
        stop.set()
        await submitting
        views = await eventually(lambda: all_done(first.queue, accepted), within=30)
    for n, job in enumerate(views):
        assert job.results == [f"answer to {n}a", f"answer to {n}b"]
    assert len({job.job_id for job in views}) == len(views)
    lines = Counter(log.lines)
    # Two workers, two outages; one worker may have been idle during one of them.
    away, back = (sum(lines[line] for line in lines if line.endswith(end)) for end in ("is away", "is back"))
    assert 2 <= away == back <= 4
    assert len(lines) == 2


def restart(server: EmbeddedPostgres, how: signal.Signals) -> None:
    assert server.process is not None
    server.process.send_signal(how)
    server.process.wait(10)
    server.start()


def restart_redis(server: RedisServer, how: signal.Signals) -> None:
    server.signal(how)
    server.ended()
    server.start()


async def test_it_starts_before_postgres_and_works_once_it_is_there() -> None:
    fake = FakeModel()
    with server_of_its_own() as server:
        server.stop()
        async with serving(model_service(fake)) as model_url:
            settings = WorkerSettings(database_url=server.url(), model_service_url=model_url)
            async with serving(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as client:
                refused = await client.post("/jobs", json={"prompts": ["a"]})
                assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
                await asyncio.to_thread(server.start)
                empty = await client.post("/jobs", json={"prompts": ["a"]})
                assert (empty.status_code, "db upgrade" in empty.text) == (503, True)
                await asyncio.to_thread(upgrade, parse_database_url(server.url()))
                job = await client.post("/jobs", json={"prompts": ["a"]})
                assert job.status_code == 202

                async def completed() -> bool:
                    path = f"/jobs/{job.json()['job_id']}"
                    return (await client.get(path)).json()["status"] == "completed"

                await eventually(completed)


def test_a_wrong_setting_ends_the_start_in_one_line() -> None:
    import os
    import subprocess
    import sys

    environment = {**os.environ, "QUEUE_TYPE": "postgres"}
    command = [sys.executable, "-m", "uvicorn", "services.worker.main:app", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode != 0
    assert done.stderr.strip() == "worker: DATABASE_URL must be set when QUEUE_TYPE=postgres"
