"""A profiler from outside: on a process that runs, and what stands in where it may not look."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from prodigon_lib.workshop import attach as module
from prodigon_lib.workshop.attach import CannotAttach, attach, profile_under_load
from prodigon_lib.workshop.serving import serve

BURNING = """
import sys, time
def burn(end):
    while time.monotonic() < end:
        sum(range(1000))
def main():
    sys.stdout.write("up\\n"); sys.stdout.flush()
    burn(time.monotonic() + 30)
main()
"""
REFUSES = """#!/bin/sh
echo "Error: Permission Denied: Try running again with elevated permissions" >&2
exit 1
"""


@pytest.fixture
def burning() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", BURNING], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.kill()
    process.wait()
    process.stdout.close()


def refusing(folder: Path) -> str:
    program = folder / "py-spy"
    program.write_text(REFUSES)
    program.chmod(0o755)
    return str(program)


def application() -> FastAPI:
    app = FastAPI()

    @app.post("/work")
    def work() -> int:
        return sum(number * number for number in range(20_000))

    return app


def test_a_running_process_is_seen_from_outside(burning: int) -> None:
    try:
        profile = attach(burning, seconds=1)
    except CannotAttach as fault:
        if "CI" in os.environ:
            raise
        pytest.skip(fault.message)
    assert profile.unit == "samples"
    assert profile.total > 10
    assert profile.share("burn") > 0.9


def test_without_the_right_to_look_it_is_one_line(
    burning: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "py_spy", lambda: refusing(tmp_path))
    with pytest.raises(CannotAttach, match="elevated permissions"):
        attach(burning, seconds=1)
    with pytest.raises(ValueError, match="1 to 30 seconds"):
        attach(burning, seconds=31)


async def test_the_same_application_stands_in_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "py_spy", lambda: refusing(tmp_path))
    with serve(application()) as served:
        live = await profile_under_load(
            os.getpid(), served.url, "/work", {}, instead=application(), in_flight=2, seconds=1
        )
    assert live.how.startswith("a sampler in this process")
    assert "Permission Denied" in live.how
    assert live.load.answered
    assert not live.load.errors
    assert live.profile.total > 0
