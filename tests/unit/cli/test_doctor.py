"""What `prodigon doctor` finds on machines other than this one."""

import sys

import pytest

from prodigon_lib.cli import doctor
from prodigon_lib.cli.doctor import Finding, install_command
from prodigon_lib.core.errors import StackError


def test_a_missing_thing_comes_with_the_command_that_brings_it() -> None:
    assert str(Finding("nginx", False, "not here", "brew install nginx")).splitlines() == [
        "missing  nginx      not here",
        "                    brew install nginx",
    ]


def test_what_is_there_needs_no_command() -> None:
    assert str(Finding("nginx", True, "/usr/sbin/nginx", "brew install nginx")) == (
        "ok       nginx      /usr/sbin/nginx"
    )


def test_a_port_that_is_taken_is_a_fault_only_when_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(port: int) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(doctor.ports, "listen", taken)
    monkeypatch.setattr(doctor.ports, "taken_by", lambda port: " by python (pid 7)")
    asked = doctor.port("gateway", {"GATEWAY_PORT": "9000"})
    assert (asked.ok, asked.mend) == (False, "unset GATEWAY_PORT")
    assert "9000 is taken by python (pid 7)" in asked.says
    other = doctor.port("gateway", {})
    assert (other.ok, other.says) == (True, "8000 is taken by python (pid 7); the gateway will use another")


@pytest.mark.parametrize(
    ("platform", "programs", "conda", "command"),
    [
        ("linux", {"apt-get"}, "", "sudo apt-get install redis-server"),
        ("linux", {"dnf"}, "", "sudo dnf install redis-server"),
        ("darwin", set(), "", "brew install redis"),
        ("darwin", set(), "/opt/conda", "conda install -c conda-forge redis-server"),
        ("linux", set(), "", "install redis-server with your system's package manager"),
    ],
)
def test_how_each_machine_installs(
    platform: str, programs: set[str], conda: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: name if name in programs else None)
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 1000)
    monkeypatch.setenv("CONDA_PREFIX", conda)
    assert install_command("redis-server") == command


def test_a_wrong_setting_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://127.0.0.1/x")
    missing = [finding for finding in doctor.examine() if finding.needed and not finding.ok]
    assert [finding.name for finding in missing] == ["Postgres"]
    assert "postgresql://" in missing[0].says


def test_a_redis_that_a_setting_names_must_answer() -> None:
    found = doctor.redis({"REDIS_URL": "redis://127.0.0.1:1"})
    assert (found.needed, found.ok, found.mend) == (True, False, "unset REDIS_URL")
    assert "Redis is away" in found.says


def test_a_machine_without_redis_is_told_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> None:
        raise StackError("none")

    monkeypatch.setattr(doctor, "find_redis", nowhere)
    found = doctor.redis({})
    assert (found.needed, found.ok) == (False, False)
    assert "QUEUE_TYPE=redis" in found.says


def test_a_machine_without_git_is_told_which_lesson_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    found = doctor.git()
    assert (found.needed, found.ok) == (False, False)
    assert "lesson 11" in found.says
    assert "git" in found.mend
