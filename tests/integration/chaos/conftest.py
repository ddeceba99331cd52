"""Stacks for the chaos suite, under one home, each with a proxy on every edge."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from prodigon_lib import Stack
from tests.conftest import SETTINGS
from tests.integration.chaos.aftermath import Before, all_healthy, check_aftermath
from tests.integration.chaos.clients import Callers, callers
from tests.integration.chaos.jobs import Answers, right_answers

SEEDS = int(os.environ.get("CHAOS_SEEDS", "1"))

QUICK = {
    "LEASE_SECONDS": 3,
    "RETRY_BASE_SECONDS": 0.2,
    "RETRY_CAP_SECONDS": 2,
    "MAX_ATTEMPTS": 30,
    "POLL_SECONDS": 0.5,
    "GENERATE_SECONDS": 6,
    "JOBS_SECONDS": 6,
    "DATABASE_SECONDS": 6,
    "CONNECT_SECONDS": 1,
    "CONNECTION_IDLE_SECONDS": 1,
    "SHUTDOWN_SECONDS": 8,
}
"""Limits that show in seconds what a deployment sees in minutes; no prompt runs out of attempts."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(SEEDS))


@pytest.fixture(scope="session")
def chaos_home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="prodigon-test-"))
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def clean_settings(clean_settings: None, monkeypatch: pytest.MonkeyPatch, chaos_home: Path) -> None:
    monkeypatch.setenv("PRODIGON_HOME", str(chaos_home))


@contextmanager
def a_stack(home: Path, name: str, **options: Any) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        for setting in SETTINGS:
            patch.delenv(setting, raising=False)
        patch.setenv("PRODIGON_HOME", str(home))
        settings = {**QUICK, **options.pop("settings", {})}
        running = Stack.start(name, profile="instant", faults=True, settings=settings, **options)
    try:
        yield running
    finally:
        running.stop(force=True)


@pytest.fixture(scope="package")
def postgres_stack(chaos_home: Path) -> Iterator[Stack]:
    """Three workers; who dies is revived."""
    with a_stack(chaos_home, "chaos", replicas={"worker": 3}) as running:
        yield running


@pytest.fixture(scope="package")
def redis_stack(chaos_home: Path) -> Iterator[Stack]:
    """The same with its queue in Redis; not started unless a test asks for it."""
    settings = {"QUEUE_TYPE": "redis"}
    with a_stack(chaos_home, "chaos-redis", replicas={"worker": 3}, settings=settings) as running:
        yield running


@pytest.fixture(scope="package")
def stack(postgres_stack: Stack) -> Stack:
    return postgres_stack


@pytest.fixture(scope="package")
def answers(stack: Stack) -> Answers:
    return asyncio.run(right_answers(stack))


@pytest.fixture
async def crowd(stack: Stack) -> AsyncIterator[Callers]:
    """Callers of the stack; at the end nothing of what they and the test did may be left."""
    await all_healthy(stack)
    async with callers(stack.url) as crowd:
        before = await Before.look(stack)
        yield crowd
        stack.faults.clear()
        await all_healthy(stack)
        stack.simulated.set(faults={}, limits={})
    await check_aftermath(stack, before)
