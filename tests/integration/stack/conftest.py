"""Stacks of these tests share one home, so that each name's database is made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from prodigon_lib import Stack
from tests.conftest import SETTINGS


@pytest.fixture(scope="session")
def stack_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def clean_settings(clean_settings: None, monkeypatch: pytest.MonkeyPatch, stack_home: Path) -> None:
    monkeypatch.setenv("PRODIGON_HOME", str(stack_home))


@pytest.fixture(scope="package")
def stack(stack_home: Path) -> Iterator[Stack]:
    """A running stack with two workers and two models; a test leaves it as healthy as it was."""
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        patch.setenv("PRODIGON_HOME", str(stack_home))
        running = Stack.start("shared", replicas={"worker": 2, "model": 2}, profile="instant")
    yield running
    running.stop(force=True)
