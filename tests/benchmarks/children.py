"""The processes of a run: started here, ended here, and none outlives the run."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from prodigon_lib.core.locations import ENV_FILE
from prodigon_lib.stack.environment import base_environment
from tests.benchmarks.cores import pinned

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 5.0


@dataclass(slots=True)
class Children:
    """Starts processes with a clean environment; `logs` gets a file for each.

    Leaving the context ends all of them, last started first; when this process dies, the kernel ends them.
    """

    logs: Path
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        core: int | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO[str] | None = None,
    ) -> subprocess.Popen[str]:
        """Args: `stdout` is the log when it is not given."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("w") as log:
            process = subprocess.Popen(
                pinned(command, core),
                env=clean_environment(environment),
                stdin=stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                text=True,
                preexec_fn=end_with_parent,
            )
        self._running.append(process)
        return process

    def stop(self, process: subprocess.Popen[Any]) -> None:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        if process in self._running:
            self._running.remove(process)

    def log(self, name: str) -> Path:
        return self.logs / f"{name.replace(', ', '-').replace(' ', '-').lower()}.log"

    def last_words(self, name: str) -> str:
        lines = self.log(name).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(list(self._running)):
            self.stop(process)


def clean_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the caller's settings: a figure must not depend on somebody's `.env`."""
    return {**base_environment(), ENV_FILE: "", **(more or {})}


def end_with_parent() -> None:
    """Runs in the child: SIGTERM when its parent dies, however it dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of all below it that still run."""
    total, todo = 0, [pid]
    while todo:
        current = Path(f"/proc/{todo.pop()}")
        try:
            fields = (current / "stat").read_text().rsplit(")", 1)[1].split()
            children = [(task / "children").read_text() for task in (current / "task").iterdir()]
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
        todo += [int(child) for line in children for child in line.split()]
    return total / os.sysconf("SC_CLK_TCK")
