"""Postgres stopped, restarted, cut off, and out of disk, under load."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from prodigon_lib import Stack
from tests.integration.chaos.aftermath import Before, check_aftermath
from tests.integration.chaos.clients import Callers, callers
from tests.integration.chaos.conftest import a_stack
from tests.integration.chaos.jobs import Answers, all_accepted, all_finished, check_answers, right_answers
from tests.integration.chaos.test_network import check_outcomes, load_for, works
from tests.polling import eventually

AWAY_SECONDS = 5.0
TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
BALLAST = "ballast"
DISK_MEGABYTES = 160


async def test_postgres_stopped_for_five_seconds(chaos_home: Path, seed: int) -> None:
    """A stack of its own, whose supervisor does not revive what died."""
    with a_stack(chaos_home, "chaos-postgres", replicas={"worker": 3}, restart="never") as stack:
        answers = await right_answers(stack)
        async with callers(stack.url) as crowd:
            before = await Before.look(stack)
            stack.faults["worker→model"].set(latency=0.1)
            jobs = await all_accepted(crowd, f"stopped {seed}")
            stack.kill("postgres")
            check_outcomes(await load_for(crowd, AWAY_SECONDS))
            await asyncio.to_thread(stack.restart_service, "postgres")
            check_answers(await all_finished(crowd, jobs), answers)
            await eventually(lambda: works(crowd))
        await check_aftermath(stack, before)


async def test_postgres_restarted_in_order(stack: Stack, crowd: Callers, answers: Answers, seed: int) -> None:
    stack.faults["worker→model"].set(latency=0.05)
    work = asyncio.create_task(all_accepted(crowd, f"restarted {seed}"))
    load = asyncio.create_task(load_for(crowd, 3.0))
    await asyncio.to_thread(stack.restart_service, "postgres")
    check_outcomes(await load)
    check_answers(await all_finished(crowd, await work), answers)


async def test_every_backend_is_terminated_again_and_again(
    stack: Stack, crowd: Callers, answers: Answers, seed: int
) -> None:
    stack.faults["worker→model"].set(latency=0.05)
    jobs = await all_accepted(crowd, f"terminated {seed}")
    load = asyncio.create_task(load_for(crowd, 2.0))
    connection = await asyncpg.connect(stack.database_url)
    while not load.done():
        await connection.execute(TERMINATE)
        await asyncio.sleep(0.3)
    await connection.close()
    check_outcomes(await load)
    check_answers(await all_finished(crowd, jobs), answers)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own with little room. Only root may make one; elsewhere the test says so."""
    folder = Path(tempfile.mkdtemp(prefix="prodigon-test-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=0755", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        folder.rmdir()
        if os.environ.get("CI"):
            pytest.fail(f"CI must be able to mount a small disk: {mounted.stderr.strip()}")
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
async def cramped(small_disk: Path) -> AsyncIterator[Stack]:
    with a_stack(small_disk / "home", "cramped", replicas={"worker": 2}) as stack:
        yield stack


def fill(disk: Path) -> None:
    """Leave no byte."""
    with (disk / BALLAST).open("wb", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while ballast.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue


async def test_the_disk_of_postgres_is_full(cramped: Stack, small_disk: Path, seed: int) -> None:
    """What can't be kept is not accepted; what was accepted is done once there is room again."""
    answers = await right_answers(cramped, 3)
    async with callers(cramped.url) as crowd:
        before = await Before.look(cramped)
        cramped.faults["worker→model"].set(latency=0.2)
        jobs = await all_accepted(crowd, f"before {seed}", 3)
        await asyncio.to_thread(fill, small_disk)
        outcomes = await load_for(crowd, 3.0)
        refused = [await crowd.post("/api/v1/jobs", {"prompts": ["Long " * 1_800] * 100}) for _ in range(5)]
        check_outcomes(outcomes + refused)
        assert not all(outcome.ok for outcome in refused)
        (small_disk / BALLAST).unlink()
        cramped.faults.clear()
        check_answers(await all_finished(crowd, jobs), answers)
        await eventually(lambda: works(crowd), within=30)
    await check_aftermath(cramped, before)
