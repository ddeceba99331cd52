"""What a stack started, by pid and start time, so that a test can tell when all of it is gone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from prodigon_lib.stack.ports import listen
from prodigon_lib.stack.process import is_running, start_time

ROOT = Path(__file__).parents[3]
ENDED_WITHIN = 10.0
"""Seconds after the last lease is gone in which everything must be."""


@dataclass(frozen=True)
class Footprint:
    """Processes, with all below them, and ports."""

    processes: Mapping[int, str]
    ports: tuple[int, ...]

    def is_gone(self) -> bool:
        return not self.left() and all(is_free(port) for port in self.ports)

    def left(self) -> list[int]:
        return [pid for pid, started in self.processes.items() if is_running(pid, started)]


def footprint(pids: Mapping[str, int], urls: Mapping[str, str]) -> Footprint:
    below = {child.pid for pid in pids.values() for child in psutil.Process(pid).children(recursive=True)}
    found = {pid: start_time(pid) for pid in {*pids.values(), *below}}
    ports = tuple(port for url in urls.values() if (port := urlsplit(url).port))
    return Footprint({pid: started for pid, started in found.items() if started}, ports)


def commands_below(pid: int) -> list[str]:
    """Of the processes that it started and that are still there: Postgres' own come and go."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found.append(" ".join(child.cmdline()))
    return found


def is_free(port: int) -> bool:
    try:
        listen(port).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Held:
    """A process that holds a stack, and what it was told of it."""

    process: subprocess.Popen[str]
    pids: dict[str, int]
    urls: dict[str, str]
    child: int

    @property
    def footprint(self) -> Footprint:
        return footprint(self.pids, self.urls)


@contextmanager
def holders(
    *names: str,
    options: Mapping[str, Any] | None = None,
    fork: bool = False,
    env: Mapping[str, str] | None = None,
) -> Iterator[list[Held]]:
    """Processes that hold stacks, all started at once; whatever is left of them is killed at the end."""
    given = json.dumps(options if options is not None else {"profile": "instant"})
    with ExitStack() as closing:
        started = []
        for name in names:
            command = [sys.executable, "-m", "tests.integration.stack.holder", name, given]
            process = closing.enter_context(
                subprocess.Popen(
                    [*command, *(["fork"] if fork else [])],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=ROOT,
                    env={**os.environ, **(env or {})},
                )
            )
            closing.callback(process.kill)
            started.append(process)
        held = []
        for process in started:
            answer = json.loads(process.stdout.readline())
            held.append(Held(process, **answer))
            if answer["child"]:
                closing.callback(end, answer["child"])
        yield held


def end(pid: int) -> None:
    if start_time(pid) is not None:
        psutil.Process(pid).kill()
