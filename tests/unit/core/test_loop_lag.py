"""A blocked event loop is measured, and the log says where it stood."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from fastapi import FastAPI
from structlog.testing import capture_logs

from prodigon_lib.core.logging import configure_logging
from prodigon_lib.core.loop_lag import WINDOW_SECONDS, LoopLag, where
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.settings import Settings
from prodigon_lib.gateway.app import create_app as create_gateway
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.model.app import create_app as create_model
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.monolith.app import create_app as create_monolith
from prodigon_lib.monolith.settings import MonolithSettings
from prodigon_lib.worker.app import create_app as create_worker
from prodigon_lib.worker.settings import QueueType, WorkerSettings
from prodigon_lib.workshop.asgi import started
from tests.polling import eventually

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.fixture(autouse=True)
def warnings_are_logged() -> None:
    """Whatever level another test's service has left behind: it is the process's."""
    configure_logging("demo", Settings(_env_file=None))


def blocks_the_loop(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def block_once(lag: LoopLag, seconds: float) -> None:
    with lag.watching():
        await asyncio.sleep(lag.every)
        blocks_the_loop(seconds)
        await eventually(lambda: lag.longest >= seconds / 2)


@pytest.mark.parametrize("new_loop", LOOPS)
def test_a_blocked_loop_is_measured_and_its_place_is_named(new_loop: Callable[[], Any]) -> None:
    lag, metrics = LoopLag("demo", 0.1, every=0.02), Metrics("demo")
    metrics.registry.register(lag)
    with capture_logs() as lines, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(block_once(lag, 0.4))
    blocked = [line for line in lines if "blocks_the_loop" in line["where"]]
    assert blocked, lines
    assert blocked[0]["seconds"] >= 0.2
    assert blocked[0]["service"] == "demo"
    text = metrics.render().decode()
    assert 'prodigon_loop_lag_seconds_bucket{le="+Inf",service="demo"}' in text
    assert f'prodigon_loop_lag_longest_seconds{{service="demo"}} {lag.longest}' in text


def test_a_loop_that_does_not_come_back_is_told_of_meanwhile() -> None:
    lag = LoopLag("demo", 0.02, every=0.01)
    with capture_logs() as lines:
        asyncio.run(block_once(lag, 0.6))
    blocked = [line for line in lines if "blocks_the_loop" in line["where"]]
    assert [line["event"] for line in blocked] == [
        "the event loop is blocked, and still is",
        "the event loop was blocked",
    ]


def test_below_the_setting_nothing_is_said() -> None:
    with capture_logs() as lines:
        asyncio.run(block_once(LoopLag("demo", 60.0, every=0.01), 0.1))
    assert lines == []


def test_the_longest_is_told_for_a_while_and_then_forgotten() -> None:
    lag = LoopLag("demo", 60.0, every=0.0)
    moment = lag._due
    for later, longest in ((2.0, 2.0), (WINDOW_SECONDS + 1, 2.0), (2 * WINDOW_SECONDS + 2, 0.0)):
        lag._due = moment + (0.0 if later == 2.0 else later)
        lag._beat(moment + later)
        assert lag.longest == longest


async def test_it_takes_no_task_and_leaves_no_thread() -> None:
    tasks = len(asyncio.all_tasks())
    with LoopLag("demo", 0.05).watching():
        assert len(asyncio.all_tasks()) == tasks
        assert "loop-lag" in {thread.name for thread in threading.enumerate()}
    await eventually(lambda: "loop-lag" not in {thread.name for thread in threading.enumerate()})


def test_a_loop_that_waits_stands_nowhere() -> None:
    assert where(None).startswith("nowhere")


APPS: dict[str, Callable[[], FastAPI]] = {
    "gateway": lambda: create_gateway(GatewaySettings(_env_file=None)),
    "model": lambda: create_model(ModelSettings(_env_file=None, use_mock=True)),
    "worker": lambda: create_worker(WorkerSettings(_env_file=None, queue_type=QueueType.MEMORY)),
    "monolith": lambda: create_monolith(
        MonolithSettings(_env_file=None, use_mock=True, queue_type=QueueType.MEMORY)
    ),
}


@pytest.mark.parametrize("name", APPS)
async def test_every_service_measures_the_loop_it_runs_on(name: str) -> None:
    async with started(APPS[name]()) as service:
        await asyncio.sleep(0.12)
        text = (await service.ask("GET", "/metrics")).body.decode()
    own = "gateway" if name == "monolith" else name
    counts = [
        line.split() for line in text.splitlines() if line.startswith("prodigon_loop_lag_seconds_count")
    ]
    assert [labels for labels, _ in counts] == [f'prodigon_loop_lag_seconds_count{{service="{own}"}}']
    assert float(counts[0][1]) >= 1
