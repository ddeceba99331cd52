"""Finished jobs go when their time is over; what has not finished stays, whatever its age."""

import pytest

from prodigon_lib.core.errors import JobNotFound
from prodigon_lib.core.ids import DEFAULT_USER_ID
from prodigon_lib.worker import runner
from prodigon_lib.worker.queues.base import Queue
from tests.integration.worker.fake_model import FakeModel
from tests.integration.worker.jobs import claim, complete, enqueue, view
from tests.integration.worker.working import working
from tests.polling import eventually

DAY = 86_400.0


async def test_only_what_has_finished_is_deleted(queue: Queue) -> None:
    done = await enqueue(queue, "a", "b", idempotency_key="done")
    await complete(queue, *await claim(queue))
    half = await enqueue(queue, "c", "d")
    await complete(queue, *await claim(queue, 1))
    waiting = await enqueue(queue, "e")
    assert await queue.prune(0, 100) == 1
    with pytest.raises(JobNotFound):
        await view(queue, done)
    assert (await view(queue, half)).completed_prompts == 1
    assert (await view(queue, waiting)).total_prompts == 1
    assert await queue.prune(0, 100) == 0
    assert len(await claim(queue)) == 2  # nothing else was touched
    assert (await enqueue(queue, "other", idempotency_key="done")).job_id != done.job_id


async def test_a_young_job_stays(queue: Queue) -> None:
    job = await enqueue(queue, "a")
    await complete(queue, *await claim(queue))
    assert await queue.prune(DAY, 100) == 0
    assert (await view(queue, job)).status.finished


async def test_a_few_at_a_time(queue: Queue) -> None:
    for number in range(5):
        await enqueue(queue, f"p{number}")
    await complete(queue, *await claim(queue))
    assert [await queue.prune(0, 2) for _ in range(4)] == [2, 2, 1, 0]


async def test_a_late_result_of_a_deleted_job_is_dropped(queue: Queue) -> None:
    job = await enqueue(queue, "a")
    claims = await claim(queue)
    await queue.cancel(DEFAULT_USER_ID, job.job_id)
    assert await queue.prune(0, 100) == 1
    assert (await complete(queue, *claims)).kept == frozenset()
    assert await queue.extend(claims, 10) == []


@pytest.mark.parametrize(("days", "left"), [(1e-9, 0), (None, 250), (30.0, 250)])
async def test_a_worker_deletes_what_the_setting_says(
    queue: Queue, days: float | None, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PRUNE_EVERY_SECONDS", 0.02)
    for number in range(250):
        await enqueue(queue, f"p{number}")
    while claims := await claim(queue):
        await complete(queue, *claims)
    job = await enqueue(queue, "lasts")
    model = FakeModel()
    model.gate.clear()
    async with working(queue, model, retention_days=days) as worker:
        await eventually(lambda: model.in_flight == 1)
        pruned = worker.runner.metrics.pruned._value
        await eventually(lambda: pruned.get() == 250 - left)
        assert not (await view(queue, job)).status.finished
        model.gate.set()
