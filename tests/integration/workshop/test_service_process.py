"""A lesson's application in a process of its own: it answers, is looked at, and ends with who started it."""

import asyncio
import os
import subprocess
import sys

import aiohttp
import psutil
import pytest

from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.heartbeat import worst
from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring_service import (
    FACTORY,
    beats_beside,
)
from prodigon_lib.workshop.scrape import in_flight, scrape
from prodigon_lib.workshop.service_process import service_process
from tests.polling import eventually, eventually_sync

HOLDS = f"""
from prodigon_lib.workshop.service_process import service_process
with service_process({FACTORY!r}) as service:
    print(service.pid, flush=True)
    input()
"""


async def test_what_blocks_its_loop_is_in_its_heartbeat_its_metrics_and_its_log() -> None:
    with service_process(FACTORY) as service:
        free = await beats_beside(service.url, "process", scores=1, seconds=0.5)
        blocked = await beats_beside(service.url, "blocking", scores=2, seconds=0.8)
        figures = await scrape(service.url)
        lines = service.lines()
        async with aiohttp.ClientSession() as http:
            asking = asyncio.create_task(http.post(f"{service.url}/score/thread"))
            assert await eventually(lambda: in_flight(service.url)) == 1
            assert await in_flight(service.url, within=20) == 0
            (await asking).close()
    assert worst(blocked) > 2 * worst(free)
    assert figures.value("prodigon_loop_lag_longest_seconds", service="scoring") > 0.05
    assert [line for line in lines if "in blocking" in line["where"]]
    assert not psutil.pid_exists(service.pid)


def test_it_ends_with_a_holder_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    ) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        pool = psutil.Process(pid).children(recursive=True)
        holder.kill()
        holder.wait()
    assert pool
    eventually_sync(lambda: not psutil.pid_exists(pid) and not any(each.is_running() for each in pool))


def test_what_does_not_start_says_why() -> None:
    with pytest.raises(WorkshopError, match="no_such_module"), service_process("no_such_module:create_app"):
        pass
