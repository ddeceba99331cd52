"""Measures a whole stack: how soon it answers, what it weighs, and whether streams make it grow."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.children import Children, clean_environment
from tests.benchmarks.cores import Cores, pinned
from tests.benchmarks.native_programs import program

SERVICES = ("gateway", "model", "worker")
IN_FLIGHT = 32
STREAM_SECONDS = 120
BODY = {"prompt": "Explain a queue in one sentence.", "max_tokens": 16}
END_SECONDS = 30.0

Run = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StackBenchmark:
    """`home` keeps the stack's state, apart from a learner's; `folder` has the load client."""

    children: Children
    home: Path
    folder: Path
    cores: Cores
    tell: Callable[[str], None]

    def measure(self, *, starts: int, streams: int) -> list[Run]:
        """A start before the first measured one makes the database's files."""
        with self.running("start"):
            self.tell("stack: its database is initialised")
        runs: list[Run] = []
        for number in range(starts):
            with self.running("start") as said, self.running("attach") as attached:
                runs.append({"kind": "start", "round": number, **without_places(said)})
                runs.append({"kind": "attach", "round": number, **without_places(attached)})
                runs.append({"kind": "memory", "round": number, **memory(said["pids"])})
                if number == starts - 1:
                    self.tell(f"stack: started {starts} times; {streams} streams through it")
                    runs.append({"kind": "streams", **self.growth(said, streams)})
        return runs

    @contextmanager
    def running(self, wish: str) -> Iterator[Run]:
        """What the process said once it had its stack, which it lets go of afterwards."""
        process = self.children.start(
            f"stack {wish}",
            [sys.executable, "-m", "tests.benchmarks.stack_process", wish],
            environment={"PRODIGON_HOME": str(self.home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"no stack: {self.children.last_words(f'stack {wish}')}")
            yield json.loads(line)
        finally:
            try:
                process.communicate(timeout=END_SECONDS)
            finally:
                self.children.stop(process)

    def growth(self, said: Run, streams: int) -> Run:
        """Resident megabytes of each service after a half of the streams and after all of them."""
        warm = self.load(said["url"], streams // 4)
        half = self.load(said["url"], streams // 4)
        before = resident(said["pids"])
        last = self.load(said["url"], streams // 2)
        after = resident(said["pids"])
        return {
            "streams": sum(run["completed"] for run in (warm, half, last)),
            "failed": sum(
                int(run[field])
                for run in (warm, half, last)
                for field in ("errors", "non2xx", "unfinished", "no_done")
            ),
            "streams_per_second": last["rps"],
            **{f"{name}_mb": [before[name], after[name]] for name in SERVICES},
        }

    def load(self, url: str, streams: int) -> Run:
        body = self.folder / "stream.json"
        body.write_text(json.dumps(BODY))
        command = [str(program("loadgen", self.folder)), "-u", f"{url}/api/v1/generate/stream"]
        command += ["-b", str(body), "-c", str(IN_FLIGHT), "-n", str(streams), "-d", str(STREAM_SECONDS)]
        said = subprocess.run(
            pinned(command, self.cores.load),
            env=clean_environment(),
            stdout=subprocess.PIPE,
            timeout=STREAM_SECONDS + END_SECONDS,
            check=True,
        )
        return dict(json.loads(said.stdout))


def memory(pids: dict[str, int]) -> Run:
    """Megabytes: `rss` of each process, and `pss`, in which what several share is divided among them."""
    shared = {name: psutil.Process(pid).memory_full_info().pss / 1e6 for name, pid in pids.items()}
    return {"rss_mb": resident(pids), "pss_mb": shared}


def resident(pids: dict[str, int]) -> dict[str, float]:
    return {name: psutil.Process(pid).memory_info().rss / 1e6 for name, pid in pids.items()}


def without_places(said: Run) -> Run:
    return {key: value for key, value in said.items() if key.endswith("_s")}
