"""Stacks of these tests share one home, so that each name's database is made once."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodigon_lib import Stack
from tests.conftest import SETTINGS


@pytest.fixture(scope="session")
def walkable() -> Iterator[Path]:
    """A folder to which Postgres' own user may walk: another run of pytest would close pytest's own to it."""
    folder = Path(tempfile.mkdtemp(prefix="prodigon-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def stack_home(walkable: Path) -> Path:
    return walkable / "home"


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
