"""Four workers over the same data, in four ways: what do they hold together?"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from prodigon_lib.workshop.memory import SHARE, footprint
from prodigon_lib.workshop.table import Table

WORKERS = 4
SCRIPT = Path(__file__).with_name("sharing_process.py")
WAYS = {
    "each loads it": "load",
    "forked after loading": "fork",
    "forked, then objects used": "fork-objects",
    "each maps it": "map",
}
Held = dict[str, dict[str, float]]


def four_workers(megabytes: int) -> dict[str, Held]:
    """By way, then by process, what it holds of `megabytes` of data: `resident`, and `share`.

    What the same processes hold of nearly no data is taken off, so that the data is what remains.
    """
    with TemporaryDirectory(prefix="prodigon-sharing-") as folder:
        file, nothing = Path(folder) / "data", Path(folder) / "nothing"
        file.write_bytes(os.urandom(1_000_000) * megabytes)
        nothing.write_bytes(b"0")
        return {name: less(held(way, file), held(way, nothing)) for name, way in WAYS.items()}


def held(way: str, file: Path) -> Held:
    with started(way, file) as pids:  # all of them: what is shared is divided by how many share it
        found = {name: footprint(pid) for name, pid in pids.items()}
    return {name: {"resident": each.resident, "share": each.share} for name, each in found.items()}


def less(found: Held, idle: Held) -> Held:
    return {
        name: {kind: max(0.0, each[kind] - idle[name][kind]) for kind in each} for name, each in found.items()
    }


@contextmanager
def started(way: str, file: Path) -> Iterator[dict[str, int]]:
    """The pids, once each process has looked at all of the data; they end with the block."""
    forks = way.startswith("fork")
    command = [sys.executable, str(SCRIPT), way, str(file), str(WORKERS)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(1 if forks else WORKERS)
    ]
    try:
        said = [line for process in processes for line in lines(process, WORKERS + 1 if forks else 1)]
        pids = sorted(int(line) for line in said)
        parents = [process.pid for process in processes] if forks else []
        workers = [pid for pid in pids if pid not in parents]
        named = {f"worker {place}": pid for place, pid in enumerate(workers, start=1)}
        yield {"parent": parents[0], **named} if forks else named
    finally:
        for process in processes:
            with process:  # closes its input, by which it ends, and waits
                pass


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def together(found: Mapping[str, Held], kind: str = "share") -> dict[str, float]:
    """Megabytes, of all processes of each way."""
    return {way: sum(each[kind] for each in held.values()) for way, held in found.items()}


def bars(found: Mapping[str, Held]) -> dict[str, dict[str, float]]:
    """For `stacked_bars`: the shares of the parent and of each worker."""
    names = ("parent", *(f"worker {place}" for place in range(1, WORKERS + 1)))
    return {
        way: {name: held[name]["share"] if name in held else 0.0 for name in names}
        for way, held in found.items()
    }


def table(found: Mapping[str, Held], guess: Mapping[str, float]) -> Table:
    resident, share = together(found, "resident"), together(found)
    rows = [(way, guess.get(way), resident[way], share[way]) for way in found]
    return Table(["MB, all together", "your guess", "resident, added up", SHARE], rows)
