"""What the worker survives: a killed worker, SIGTERM, Postgres restarted or late."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import asyncpg
import httpx
import pytest

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.schemas.jobs import JobStatus, JobView
from prodigon_lib.persistence.migrations import upgrade
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.worker.app import create_app
from prodigon_lib.worker.queues import connections
from prodigon_lib.worker.queues.postgres import PostgresQueue
from prodigon_lib.worker.settings import WorkerSettings
from tests.integration.conftest import server_of_its_own
from tests.integration.serving import serving
from tests.integration.worker.fake_model import FakeModel, model_service
from tests.integration.worker.jobs import enqueue, new_job, view
from tests.integration.worker.processes import WorkerProcess, worker_process
from tests.integration.worker.working import working
from tests.polling import eventually

LEASE = 2.0


async def rows(database: DatabaseUrl, query: str, *arguments: object) -> list[Any]:
    connection = await asyncpg.connect(database.dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


@pytest.fixture
async def model() -> AsyncIterator[tuple[FakeModel, str]]:
    model = FakeModel(seconds=0.1)
    async with serving(model_service(model)) as url:
        yield model, url
        model.gate.set()


async def all_done(queue: PostgresQueue, jobs: list[JobView]) -> list[JobView] | None:
    views = [await view(queue, job) for job in jobs]
    return views if all(job.status.finished for job in views) else None


async def test_a_killed_workers_prompts_are_done_by_the_other(
    database: DatabaseUrl, postgres_queue: PostgresQueue, model: tuple[FakeModel, str]
) -> None:
    fake, model_url = model
    jobs = await postgres_queue.enqueue([new_job(*(f"{n}.{at}" for at in range(50))) for n in range(4)])
    kill_after = random.Random().randrange(30, 110)
    options = {"lease_seconds": LEASE, "worker_concurrency": 8}
    async with AsyncExitStack() as stack:
        fake.gate.clear()  # until both have claimed
        workers = [
            await stack.enter_async_context(worker_process(name, database, model_url, **options))
            for name in ("one", "two")
        ]
        await eventually(lambda: fake.in_flight == 16)
        fake.gate.set()
        await eventually(lambda: fake.calls.total() - fake.in_flight >= kill_after)
        workers[0].kill()
        views = await eventually(lambda: all_done(postgres_queue, jobs), within=LEASE * 1.5 + 15)
    for n, done in enumerate(views):
        assert (done.status, done.errors) == (JobStatus.COMPLETED, [])
        assert done.results == [f"answer to {n}.{at}" for at in range(50)]
    # Only what the killed worker had in its hands was asked again.
    twice = [prompt for prompt, count in fake.calls.items() if count > 1]
    again = "SELECT prompt FROM job_prompts WHERE attempts > 1"
    assert len(twice) <= 8
    assert {prompt for (prompt,) in await rows(database, again)} >= set(twice)
    who = "SELECT DISTINCT leased_by FROM job_prompts WHERE attempts > 1"
    assert {name for (name,) in await rows(database, who)} <= {"two"}


@pytest.mark.parametrize("watched", [False, True])
async def test_sigterm_drains(
    database: DatabaseUrl, postgres_queue: PostgresQueue, model: tuple[FakeModel, str], watched: bool
) -> None:
    fake, model_url = model
    fake.gate.clear()
    job = await enqueue(postgres_queue, *(f"{n}" for n in range(10)))
    async with worker_process("one", database, model_url, worker_concurrency=4) as worker:
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
    now = await view(postgres_queue, job)
    assert [result is not None for result in now.results] == [True] * 4 + [False] * 6
    states = await rows(database, "SELECT status, attempts FROM job_prompts")
    assert Counter(states) == {("completed", 1): 4, ("pending", 0): 6}
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
    database: DatabaseUrl, postgres_queue: PostgresQueue, model: tuple[FakeModel, str]
) -> None:
    fake, model_url = model
    fake.gate.clear()
    await enqueue(postgres_queue, "a", "b")
    async with worker_process("one", database, model_url, shutdown_seconds=0.5) as worker:
        await eventually(lambda: fake.in_flight == 2)
        worker.terminate()
        await worker.ended()
    assert await rows(database, "SELECT status, attempts FROM job_prompts") == [("pending", 0)] * 2
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
    monkeypatch.setattr(connections, "logger", log)
    return log


@pytest.fixture
def careful() -> Iterator[EmbeddedPostgres]:
    """A server of the test's own that keeps what it has committed."""
    with server_of_its_own({}) as server:
        upgrade(parse_database_url(server.url()))
        yield server


async def test_postgres_restarted_under_load_loses_nothing(
    careful: EmbeddedPostgres, log: CountingLog
) -> None:
    model = FakeModel(seconds=0.02)
    url = parse_database_url(careful.url())
    accepted: list[JobView] = []
    stop = asyncio.Event()

    async def submit(queue: PostgresQueue) -> None:
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
            await stack.enter_async_context(working(PostgresQueue(url), model, **options)) for _ in range(2)
        ]
        submitting = asyncio.create_task(submit(first.queue))
        for end in (signal.SIGINT, signal.SIGQUIT):  # in order, then as if it had crashed
            done = len(accepted)
            await eventually(lambda done=done: len(accepted) > done + 30)
            await asyncio.to_thread(restart, careful, end)
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
    assert 2 <= lines["the queue's database is away"] == lines["the queue's database is back"] <= 4
    assert len(lines) == 2


def restart(server: EmbeddedPostgres, how: signal.Signals) -> None:
    assert server.process is not None
    server.process.send_signal(how)
    server.process.wait(10)
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
