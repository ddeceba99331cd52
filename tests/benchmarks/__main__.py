"""The benchmarks' one entry."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodigon_lib.core.locations import PACKAGE, home
from tests.benchmarks import gateway
from tests.benchmarks.children import Children
from tests.benchmarks.cores import Cores
from tests.benchmarks.machine import machine, versions
from tests.benchmarks.queues import QueueBenchmark, Sizes, fresh_postgres, fresh_redis, systems
from tests.benchmarks.readme import with_block
from tests.benchmarks.report import PARTS, Part, Report, now
from tests.benchmarks.stacks import StackBenchmark
from tests.benchmarks.targets import Targets

Measured = tuple[list[dict[str, Any]], dict[str, str]]
"""The runs of a part, and the peers that are missing in it."""

README = PACKAGE.parent / "README.md"


@dataclass(frozen=True, slots=True)
class Size:
    """How long a run is. `gateway_seconds` are of one measurement, the budgets of all rounds of a part."""

    rounds: int
    gateway_seconds: float
    gateway_budget: float
    queue: Sizes
    queue_budget: float
    starts: int
    streams: int


FULL = Size(9, 0.8, 270, Sizes(20_000, 6, 1.5, 100), 200, 5, 10_000)
QUICK = Size(1, 0.5, 30, Sizes(10_000, 3, 0.3, 20), 30, 1, 1_000)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three minutes: does it run, roughly how fast")
    parser.add_argument(
        "--only",
        default=",".join(PARTS),
        help="some of gateway,queue,stack; of the others, what an earlier run left is shown",
    )
    parser.add_argument("--rounds", type=int, help="most rounds (9; quick: 1)")
    parser.add_argument("--readme", action="store_true", help="write the tables into README.md")
    wish = parser.parse_args(arguments)
    wish.only = [part for part in wish.only.split(",") if part]
    if unknown := set(wish.only) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return wish


def main(arguments: Sequence[str] | None = None) -> int:
    wish = parse(arguments)
    if sys.platform != "linux":
        raise SystemExit("the benchmarks' model server and load client need Linux (epoll)")
    if wish.readme:
        try:
            with_block(README.read_text(), "")
        except ValueError as error:
            raise SystemExit(f"README.md: {error}") from None
    folder = home() / "benchmarks"
    report = measured(wish, QUICK if wish.quick else FULL, folder)
    print(report.markdown())
    print(f"\nIn {folder}: results.json, results.md, and a picture of each table.", file=sys.stderr)
    if wish.readme:
        report.update(README)
    return 0


def measured(wish: argparse.Namespace, size: Size, folder: Path) -> Report:
    """The parts one after the other: two at once would measure each other. What is not asked for stays."""
    report = Report.found(folder)
    rounds = wish.rounds or size.rounds
    cores, work = Cores.found(), folder / "work"
    for name in wish.only:
        began, about, used = now(), machine(), versions()
        with Children(work / "logs") as children:
            if name == "gateway":
                runs, missing = measure_gateway(children, work, cores, size, rounds)
            elif name == "queue":
                runs, missing = measure_queue(children, work, size, rounds)
            else:
                bench = StackBenchmark(children, work / "home", work, cores, tell)
                runs, missing = bench.measure(starts=size.starts, streams=size.streams), {}
        report.parts[name] = Part(runs, missing, about, used, wish.quick, began)
        report.save(folder)  # also when a later part fails
    return report


def measure_gateway(children: Children, work: Path, cores: Cores, size: Size, rounds: int) -> Measured:
    targets, missing = Targets(children, work, cores).start()
    runs = gateway.measure(
        gateway.Client(work, cores),
        targets,
        rounds=rounds,
        seconds=size.gateway_seconds,
        deadline=time.monotonic() + size.gateway_budget,
        tell=tell,
    )
    return runs, missing


def measure_queue(children: Children, work: Path, size: Size, rounds: int) -> Measured:
    found, missing = systems()
    with fresh_postgres(work) as database, fresh_redis(work) as redis:
        bench = QueueBenchmark(children, database, redis, size.queue, tell)
        deadline = time.monotonic() + size.queue_budget
        return bench.measure(found, rounds=rounds, deadline=deadline), missing


def tell(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
