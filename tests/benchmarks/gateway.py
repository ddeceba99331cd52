"""Measures the gateways in turn, round after round, so that the machine's noise hits all alike."""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.children import clean_environment, cpu_seconds
from tests.benchmarks.cores import Cores, pinned
from tests.benchmarks.loads import LOADS, Load
from tests.benchmarks.native_programs import program
from tests.benchmarks.targets import Target

MOST_REQUESTS = 500_000
DRAIN_SECONDS = 30.0
SLOW_SECONDS = {1: 2.0, 16: 5.0, 64: 9.0}
"""Of streams, by how many at once, for targets whose streams take seconds."""

Run = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """The load client. `folder` has the program and the bodies."""

    folder: Path
    cores: Cores

    def run(self, target: Target, load: Load, seconds: float, *, most: int = MOST_REQUESTS) -> Run:
        """What the program says (latencies in microseconds), and the share of a core the gateway took."""
        body = self.folder / f"{load.name}.{target.style}.json"
        body.write_bytes(load.body(target.style))
        warm_up = 0 if target.slow and load.streams else min(0.3, seconds / 4)
        command = [str(program("loadgen", self.folder)), "-u", target.url(load), "-b", str(body)]
        command += ["-c", str(load.in_flight), "-n", str(most), "-d", str(seconds), "-w", str(warm_up)]
        if target.key:
            command += ["-H", f"Authorization: Bearer {target.key}"]
        used, began = cpu_seconds(target.process.pid), time.monotonic()
        said = subprocess.run(
            pinned(command, self.cores.load),
            env=clean_environment(),
            stdout=subprocess.PIPE,
            timeout=seconds + DRAIN_SECONDS,
            check=True,
        )
        used, took = cpu_seconds(target.process.pid) - used, time.monotonic() - began
        return {**json.loads(said.stdout), "gateway_cpu": round(used / took, 3)}


def measure(
    client: Client,
    targets: Sequence[Target],
    *,
    rounds: int,
    seconds: float,
    deadline: float,
    tell: Callable[[str], None],
) -> list[Run]:
    """Every target under every load, `rounds` times, in an order that turns round each time.

    Args:
        seconds: of one run.
        deadline: on the monotonic clock; no round begins that would likely end after it, but the first.
    """
    for target in targets:
        for load in LOADS:
            client.run(target, load, min(0.4, seconds), most=1000)
    runs: list[Run] = []
    longest = 0.0
    for round_ in range(rounds):
        began = time.monotonic()
        if round_ and began + longest > deadline:
            tell(f"gateway: {round_} rounds, as time is up")
            break
        for load in LOADS:
            for target in list(targets)[:: -1 if round_ % 2 else 1]:
                if target.slow and load.streams and load.in_flight >= 64 and round_:
                    continue
                wanted = SLOW_SECONDS[load.in_flight] if target.slow and load.streams else seconds
                run = client.run(target, load, wanted)
                runs.append(
                    {
                        "target": target.name,
                        "load": load.name,
                        "round": round_,
                        "failed": failures(run),
                        **run,
                    }
                )
        longest = max(longest, time.monotonic() - began)
        tell(f"gateway: round {round_ + 1} of {rounds}, {time.monotonic() - began:.0f} s")
    return runs


def failures(run: Run) -> int:
    """Requests without a whole answer: broken, refused, unfinished, or a stream without its end."""
    return sum(int(run[field]) for field in ("errors", "non2xx", "unfinished", "no_done"))
