"""Share it."""

import subprocess
import sys
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.memory import SHARE, footprint
from prodigon_lib.workshop.table import Table

HINTS = (
    "read_bytes copies the file into memory of this process alone, four processes into four. The kernel"
    " has the file in its page cache already, once for all; mmap lets you look at it there.",
    "mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) maps a whole file; the file may be closed"
    " afterwards. It slices like bytes, and a page is read when it is first looked at. Map on the first"
    " look-up, not in __init__.",
    "In row: map if self.mapped is None, then found.frombytes(self.mapped[a:b]), which copies one row."
    " In evict: close the mapping and set it to None, so that the next row maps again.",
)

WORKERS = 4
ROWS = 40_000
DIMENSIONS = 256
ROW_BYTES = 4 * DIMENSIONS
FILE_MB = ROWS * ROW_BYTES / 1_000_000
IDLE_MB = 4.0
MOST_COPIES = 1.5
MOST_LEFT = 0.25
RUNNER = Path(__file__).with_name("vector_worker.py")


class VectorFile:
    """A file whose rows are slices of a pool that is drawn anew for each check."""

    def __init__(self, attempt: Attempt, path: Path) -> None:
        self.path, self.step = path, attempt.random.randrange(501, 1501, 2)
        self.pool = array("f", (attempt.random.random() for _ in range(8192)))
        with path.open("wb") as file:
            for number in range(ROWS):
                file.write(self.row(number))

    def row(self, number: int) -> bytes:
        start = number * self.step % (len(self.pool) - DIMENSIONS)
        return self.pool[start : start + DIMENSIONS].tobytes()


class Ended(Exception):
    """A worker process is gone; the text is what it said."""


class Worker:
    """One process with the answer in it."""

    def __init__(self, answer: Path, file: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(RUNNER), str(answer), str(file), str(ROWS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.answer()
        self.at_first = 0.0

    def send(self, order: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{order}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self.ended() from None

    def answer(self) -> str:
        """Raises Ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self.ended()
        return line.strip()

    def ended(self) -> Ended:
        assert self.process.stderr is not None
        return Ended(self.process.stderr.read().strip() or "it said nothing")

    def share(self) -> float:
        """Megabytes beyond what it held before it opened anything."""
        return footprint(self.process.pid).share - self.at_first


@contextmanager
def workers(answer: Path, file: Path) -> Iterator[list[Worker]]:
    started: list[Worker] = []
    try:
        for _ in range(WORKERS):
            started.append(Worker(answer, file))  # noqa: PERF401 (those started before a failure are to end)
        for worker in started:
            worker.at_first = worker.share()
        yield started
    finally:
        for worker in started:
            # What was written to one that has ended can't be flushed any more.
            with suppress(BrokenPipeError), worker.process as process:
                process.kill()


class ShareItCheck(Check):
    seconds = 25

    def run(self, attempt: Attempt, findings: Findings) -> None:
        vectors = VectorFile(attempt, attempt.folder / "vectors.f32")
        self.attempt, self.findings, self.vectors = attempt, findings, vectors
        attempt.get("Vectors")  # an exercise with a gap says so here, and not in four processes
        findings.equal(
            "numbers in a row", attempt.get("DIMENSIONS"), DIMENSIONS, step="Leave the file's form."
        )
        try:
            with workers(attempt.path, vectors.path) as self.workers:
                self.measure()
        except Ended as ended:
            said = str(ended)
            findings.expect(
                "a worker process",
                measured=f"ended: {said.splitlines()[-1]}",
                wanted="goes on",
                holds=False,
                step="Its error says the line; the same file works in a Python of your own.",
                evidence=said,
            )

    def measure(self) -> None:
        held = {"opened": self.all_do("open")}
        idle = max(held["opened"])
        self.findings.at_most(
            "each worker, opened and not asked yet",
            idle,
            IDLE_MB,
            unit="MB",
            step="Read nothing in __init__.",
        )
        self.rows_are_right("rows looked up by four workers")
        held["every row seen"] = self.all_do("all")
        self.findings.at_most(
            f"four workers together ({SHARE}), for a file of {FILE_MB:.0f} MB",
            sum(held["every row seen"]),
            MOST_COPIES * FILE_MB,
            unit="MB",
            step="Each has a copy of its own. Map the file, and copy no more than a row of it.",
            evidence=table(held),
        )
        held["evicted"] = self.all_do("evict")
        self.findings.at_most(
            "four workers after evict",
            sum(held["evicted"]),
            MOST_LEFT * FILE_MB,
            unit="MB",
            step="Close the mapping, or tell the kernel that you do not need its pages.",
            evidence=table(held),
        )
        self.rows_are_right("rows looked up after evict")
        self.findings.show(table(held))

    def all_do(self, order: str) -> list[float]:
        """What each holds afterwards."""
        for worker in self.workers:
            worker.send(order)
        for worker in self.workers:
            worker.answer()
        return [worker.share() for worker in self.workers]

    def rows_are_right(self, what: str) -> None:
        numbers = [0, ROWS - 1, *(self.attempt.random.randrange(ROWS) for _ in range(20))]
        for worker in self.workers:
            for number in numbers:
                worker.send(f"row {number}")
        right = [self.vectors.row(number).hex() for number in numbers]
        wrong = sum(worker.answer() != expected for worker in self.workers for expected in right)
        step = "A row is an array of floats: DIMENSIONS of them, from its own place."
        self.findings.equal(f"{what}, wrong ones", wrong, 0, step=step)


def table(held: dict[str, list[float]]) -> Table:
    names = [f"worker {place + 1}" for place in range(WORKERS)]
    rows: list[Sequence[object]] = [(what, *each, sum(each)) for what, each in held.items()]
    return Table([f"MB, {SHARE}", *names, "together"], rows)
