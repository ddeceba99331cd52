"""The `prodigon` command, as a program runs it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from prodigon_lib import Stack
from tests.integration.conftest import run_sql
from tests.integration.stack.processes import ENDED_WITHIN, ROOT, footprint
from tests.polling import eventually_sync

COMMAND = [sys.executable, "-m", "prodigon_lib.cli"]


def prodigon(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60
    )


@contextmanager
def up(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict]]:
    """`prodigon up --json`, and its one line."""
    command = [*COMMAND, "up", "--json", "--profile", "instant", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield process, json.loads(line)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_says_one_line_and_ends_in_order(number: signal.Signals) -> None:
    with up("--name", "lifetime", "--worker", "2") as (process, line):
        assert set(line) == {"name", "gateway", "model", "worker", "database", "pids"}
        assert set(line["pids"]) >= {"gateway", "model", "worker", "worker-2", "postgres", "supervisor"}
        with urlopen(f"{line['gateway']}/health/ready", timeout=5) as answer:
            assert answer.status == 200
        run_sql(line["database"], "SELECT 1")
        urls = {name: line[name] for name in ("gateway", "model", "worker")}
        stack = footprint(line["pids"], urls)
        process.send_signal(number)
        assert process.wait(ENDED_WITHIN) == 0
        assert stack.is_gone()
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_status_and_down(stack: Stack) -> None:
    with up("--name", "lifetime") as (process, line):
        told = prodigon("status", "--json")
        assert told.returncode == 0
        rows = {row["name"]: row for row in json.loads(told.stdout)["stacks"]}
        assert set(rows) == {"shared", "lifetime"}
        assert rows["lifetime"]["healthy"] is True
        assert rows["lifetime"]["urls"]["gateway"] == line["gateway"]
        assert line["gateway"].rpartition(":")[2] in prodigon("status").stdout
        assert prodigon("down", "--name", "lifetime").stdout == "stopped 'lifetime'\n"
        assert process.wait(ENDED_WITHIN) == 1  # it was to run on
        assert "has ended" in process.stderr.read()
    assert stack.status().healthy
    again = prodigon("down", "--name", "lifetime")
    assert (again.returncode, again.stdout) == (0, "'lifetime' does not run\n")


def test_status_fails_while_something_is_not_healthy(stack: Stack) -> None:
    stack.pause("worker-2")
    try:
        told = prodigon("status")
        assert told.returncode == 1
        assert "silent" in told.stdout
    finally:
        stack.resume("worker-2")
    eventually_sync(lambda: stack.status().healthy)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("up", "--name", "No Name"), "no name for a stack"),
        (("up", "--worker", "0"), "replicas of worker"),
        (("up", "--restart", "often"), "restart must be"),
        (("down", "--name", "../x"), "no name for a stack"),
    ],
)
def test_a_fault_is_one_line_and_an_exit_code(arguments: tuple[str, ...], words: str) -> None:
    told = prodigon(*arguments)
    assert told.returncode == 1
    assert told.stdout == ""
    assert words in told.stderr
    assert told.stderr.count("\n") == 1


def test_a_command_that_there_is_none_of() -> None:
    assert prodigon("start").returncode == 2


def test_its_version() -> None:
    assert prodigon("--version").stdout.startswith("prodigon ")


def test_db_upgrade_of_a_database_of_ones_own(empty_database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database.dsn)
    assert prodigon("db", "upgrade").returncode == 0
    run_sql(empty_database.dsn, "SELECT count(*) FROM users")


def test_db_upgrade_of_the_default_stack_leaves_nothing_running(stack_home: Path) -> None:
    told = prodigon("db", "upgrade")
    assert told.returncode == 0, told.stderr
    assert "is at" in told.stdout
    assert not (stack_home / "stacks" / "default" / "postgres" / "postmaster.pid").exists()


def test_doctor_looks_at_everything() -> None:
    told = prodigon("doctor")
    for name in ("Python", "disk", "port", "Postgres", "Redis", "nginx", "API key", "browser"):
        assert f" {name} " in told.stdout
    assert told.returncode == 0, told.stdout


def test_doctor_fails_for_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/prodigon")
    told = prodigon("doctor")
    assert told.returncode == 1
    assert "missing  Postgres" in told.stdout
    assert "unset DATABASE_URL" in told.stdout
