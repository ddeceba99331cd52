"""The embedded Postgres: starts whatever an earlier one left, and never without a guard that knows of it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.postgres import EmbeddedPostgres, socket_folder
from prodigon_lib.stack.process import start_time
from tests.integration.conftest import run_sql
from tests.polling import eventually_sync


@pytest.fixture(scope="module")
def data(walkable: Path) -> Path:
    """A data folder that has been used."""
    server = EmbeddedPostgres(walkable / "pg" / "data", walkable / "pg" / "log")
    server.start()
    server.stop()
    return server.data


@pytest.fixture
def server(data: Path) -> Iterator[EmbeddedPostgres]:
    """Not started."""
    found = EmbeddedPostgres(data, data.parent / "log")
    yield found
    found.stop()


def test_it_starts_again_after_a_crash(server: EmbeddedPostgres) -> None:
    server.start()
    run_sql(server.url(), "CREATE TABLE kept (n int)")
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    server.start()
    run_sql(server.url(), "DROP TABLE kept")


def test_one_that_was_left_behind_is_ended_first(server: EmbeddedPostgres) -> None:
    left = EmbeddedPostgres(server.data, server.log)
    left.start()
    server.start()
    assert left.process.wait(5) is not None
    run_sql(server.url(), "SELECT 1")


def test_the_pid_of_another_program_in_its_lock_is_no_hindrance(server: EmbeddedPostgres) -> None:
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    server.start()
    run_sql(server.url(), "SELECT 1")


def test_it_does_not_run_unless_the_guard_was_told(server: EmbeddedPostgres) -> None:
    """As when the supervisor is killed in between: the process begins, and comes to nothing."""
    pids: list[int] = []

    def killed(pid: int) -> None:
        pids.append(pid)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        server.launch(killed)
    eventually_sync(lambda: start_time(pids[0]) is None)
    assert not (server.data / "postmaster.pid").exists()


def test_half_made_data_is_made_anew(walkable: Path) -> None:
    server = EmbeddedPostgres(walkable / "half" / "data", walkable / "half" / "log")
    (walkable / "half" / "data.new").mkdir(parents=True)
    (walkable / "half" / "data.new" / "PG_VERSION").write_text("18\n")
    server.start()
    run_sql(server.url(), "SELECT 1")
    server.stop()
    assert not (walkable / "half" / "data.new").exists()


def test_data_that_is_not_postgres_is_one_line(data: Path, walkable: Path) -> None:
    shutil.copytree(data, walkable / "broken" / "data")
    (walkable / "broken" / "data" / "PG_VERSION").write_text("9.6\n")
    server = EmbeddedPostgres(walkable / "broken" / "data", walkable / "broken" / "log")
    with pytest.raises(StackError, match="Postgres did not start") as caught:
        server.start()
    assert "\n" not in caught.value.message


def test_a_long_path_has_its_socket_in_the_temporary_folder() -> None:
    assert socket_folder(Path("/short/data")) == Path("/short/socket")
    assert len(str(socket_folder(Path("/long" * 40 + "/data")))) < 80


def test_a_service_that_nobody_lets_go_ends() -> None:
    """As when the supervisor is killed before it has told the guard of the service."""
    command = [sys.executable, "-m", "prodigon_lib.stack.serve", "model", "--wait", "--port", "1"]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, timeout=30, check=False).returncode == 0
