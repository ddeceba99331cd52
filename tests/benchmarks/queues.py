"""Measures the queues in turn, round after round, each in processes of its own, on one Postgres or Redis."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.stack.redis import RedisServer, find_redis
from tests.benchmarks import peers
from tests.benchmarks.children import Children
from tests.benchmarks.figures import quantile

WORKERS = (1, 4)
READY_SECONDS = 30.0
OURS = "tests.benchmarks.queue_adapter"
THEIRS = "tests.benchmarks.queue_peers"

Run = dict[str, Any]


@dataclass(frozen=True, slots=True)
class System:
    """`kind` is its `Adapter`, as `module:class`. `measures` leaves out what another way to run it shows.

    `once` is measured in the first round alone: it takes long to set up.
    """

    name: str
    kind: str
    variant: str
    python: str = sys.executable
    measures: tuple[str, ...] = ("enqueue", "drain", "pick-up")
    once: bool = False


@dataclass(frozen=True, slots=True)
class Sizes:
    """Seconds are of one measurement; `prompts` is how many a drain begins with."""

    prompts: int
    drain_seconds: float
    enqueue_seconds: float
    pick_ups: int


def systems() -> tuple[list[System], dict[str, str]]:
    """Those that are here, and of the others, why not."""
    found = [
        System("prodigon", f"{OURS}:Ours", "b100"),
        System("prodigon, worker", f"{OURS}:Ours", "loop", measures=("drain", "pick-up")),
        System("prodigon, 1 a job", f"{OURS}:OursSingle", "b100", measures=("enqueue", "drain")),
        System("prodigon, 1M done", f"{OURS}:OursAmongFinished", "b100", measures=("drain",), once=True),
        System("asyncpg", "tests.benchmarks.queue_systems:Ceiling", "b100"),
    ]
    missing = {}
    in_redis = System("prodigon, redis", f"{OURS}:OursInRedis", "b100")
    try:
        find_redis()
        found.append(in_redis)
    except StackError:
        missing[in_redis.name] = "no redis-server here"
    for name, kind, variant in (("pgqueuer", "Pgqueuer", "b100"), ("procrastinate", "Procrastinate", "c20")):
        if python := peers.queues_python(name):
            found.append(System(name, f"{THEIRS}:{kind}", variant, str(python)))
        else:
            missing[name] = peers.ABSENT
    return found, missing


@contextmanager
def fresh_postgres(folder: Path) -> Iterator[str]:
    """The address of a database that is gone afterwards. `fsync` is on."""
    data = folder / "postgres"
    shutil.rmtree(data, ignore_errors=True)
    server = EmbeddedPostgres(data / "data", folder / "logs" / "postgres.log", {"fsync": "on"})
    server.start()
    try:
        yield server.url()
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def fresh_redis(folder: Path) -> Iterator[str]:
    """The address of an empty Redis that is gone afterwards, and "" where none is installed.

    Each write is on the disk before its answer, as with Postgres.
    """
    place = Path(tempfile.mkdtemp(prefix="prodigon-bench-"))  # short, as a socket's path must be
    try:
        server = RedisServer(place, folder / "logs" / "redis.log", place / "redis.sock", durable=True)
        server.settings = {"maxmemory": "0"}
        server.start()
    except StackError:
        shutil.rmtree(place, ignore_errors=True)
        yield ""
        return
    try:
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class QueueBenchmark:
    children: Children
    database: str
    redis: str
    sizes: Sizes
    tell: Callable[[str], None]

    def measure(self, found: Sequence[System], *, rounds: int, deadline: float) -> list[Run]:
        """Args: `deadline` is on the monotonic clock; no round begins that would likely end after it."""
        runs: list[Run] = []
        longest = 0.0
        for round_ in range(rounds):
            began = time.monotonic()
            if round_ and began + longest > deadline:
                self.tell(f"queue: {round_} rounds, as time is up")
                break
            order = [each for each in found if round_ == 0 or not each.once][:: -1 if round_ % 2 else 1]
            for system in order:
                runs += [{"system": system.name, "round": round_, **run} for run in self._round(system)]
            if round_ or not any(each.once for each in found):
                longest = max(longest, time.monotonic() - began)
            self.tell(f"queue: round {round_ + 1} of {rounds}, {time.monotonic() - began:.0f} s")
        for system in found:
            if "pick-up" in system.measures:
                runs.append({"system": system.name, "round": 0, "kind": "pick-up", **self.pick_up(system)})
        return runs

    def _round(self, system: System) -> Iterator[Run]:
        if "enqueue" in system.measures:
            seconds, most = self.sizes.enqueue_seconds, self.sizes.prompts
            yield {"kind": "enqueue", **self._run(system, "enqueue", str(seconds), str(most))}
        for workers in WORKERS:
            self._run(system, "fill", str(self.sizes.prompts))
            yield {"kind": "drain", "workers": workers, **self.drain(system, workers)}

    def drain(self, system: System, workers: int) -> Run:
        """Prompts a second, from when the workers begin until the last prompt; `missed` were not run."""
        running = [self._worker(system, "drain", self.sizes.drain_seconds) for _ in range(workers)]
        self._begin(running)
        said = [self._end(worker, self.sizes.drain_seconds) for worker in running]
        jobs = sum(int(one["jobs"]) for one in said)
        worked = [one for one in said if one["jobs"]]
        if not worked:
            return {
                "rate": None,
                "jobs": 0,
                "failed": next((o["error"] for o in said if o["error"]), "no job"),
            }
        seconds = (max(one["last"] for one in worked) - min(one["begun"] for one in said)) / 1e9
        split = [int(one["jobs"]) for one in said]
        return {
            "rate": jobs / seconds,
            "jobs": jobs,
            "missed": self.sizes.prompts - jobs,
            "split": split,
            "failed": next((one["error"] for one in said if one["error"]), None),
        }

    def pick_up(self, system: System) -> Run:
        """From just before the enqueue call to the handler, in milliseconds, of a worker that waits."""
        self._run(system, "reset")
        limit = 30.0 + self.sizes.pick_ups * 0.2
        worker = self._worker(system, "wait", limit)
        self._begin([worker])
        sent = int(self._run(system, "pick-up", str(self.sizes.pick_ups))["sent"])
        latencies = [value / 1e3 for value in self._end(worker, limit)["latencies"][1:]]
        if not latencies:
            return {"sent": sent, "seen": 0}
        shares = {"p50_ms": 0.5, "p99_ms": 0.99}
        return {
            "sent": sent,
            "seen": len(latencies),
            **{key: quantile(latencies, share) for key, share in shares.items()},
        }

    def _start(self, system: System, *arguments: str) -> subprocess.Popen[str]:
        command = [system.python, "-m", "tests.benchmarks.queue_process", system.kind, *arguments]
        return self.children.start(
            f"queue {system.name}",
            command,
            environment={
                "PRODIGON_BENCH_DSN": self.database,
                "PRODIGON_BENCH_REDIS": self.redis,
                "LOG_LEVEL": "WARNING",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def _worker(self, system: System, mode: str, seconds: float) -> subprocess.Popen[str]:
        return self._start(system, mode, system.variant, str(seconds))

    def _begin(self, workers: Sequence[subprocess.Popen[str]]) -> None:
        """Let all of them go once the last is connected. Raises RuntimeError when one ended before."""
        for worker in workers:
            assert worker.stdout is not None
            if not any(line == "ready\n" for line in worker.stdout):
                raise RuntimeError(f"{worker.args} did not get ready; see {self.children.logs}")
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()

    def _run(self, system: System, *arguments: str) -> Run:
        return self._end(self._start(system, *arguments), 120)

    def _end(self, process: subprocess.Popen[str], seconds: float) -> Run:
        """What it said last. Raises RuntimeError when it failed."""
        try:
            said, _ = process.communicate(timeout=seconds + READY_SECONDS)
        finally:
            self.children.stop(process)
        try:
            return dict(json.loads(said.strip().splitlines()[-1]))
        except (IndexError, json.JSONDecodeError):
            raise RuntimeError(f"{process.args} failed; see {self.children.logs}") from None
