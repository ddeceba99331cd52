"""A crash-proof worker."""

import asyncio
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_03_batch_vs_realtime_vs_streaming import worker_process
from prodigon_lib.workshop.lessons.lesson_03_batch_vs_realtime_vs_streaming.worker_process import POISON
from prodigon_lib.workshop.table import Table

HINTS = (
    "A killed worker cleans up nothing, so whatever must be known later is written before: that a job"
    " was taken, by which claim, until when, and how often. The next claim looks at these, not at who"
    " took it.",
    "A free job waits, or runs under a lease that is over. Take it in one UPDATE … RETURNING that also"
    " draws a new lease and counts the try; before that, mark as dead what is free and has had all its"
    " tries.",
    "In finish, BEGIN IMMEDIATE, then UPDATE jobs SET status = 'done' WHERE id and lease are this"
    " claim's. Only if that changed a row, insert the effect. COMMIT: a crash before it leaves no trace"
    " of either.",
)
LEASE_SECONDS = 0.3
PATIENCE = 5.0
LONG_LEASE = 60.0
LOOK_AROUND = 0.3
"""Seconds in which a worker without a job looks for one."""

JOBS = 45
KILLS = 10
TABLES = """
CREATE TABLE jobs (id INTEGER PRIMARY KEY, payload TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'waiting',
                   tries INTEGER NOT NULL DEFAULT 0, lease TEXT, lease_until REAL);
CREATE TABLE effects (job INTEGER NOT NULL, value TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Ended:
    """A worker's process that is over."""

    code: int
    ran: Sequence[str]
    errors: str

    @property
    def killed(self) -> bool:
        return self.code == -9


class Jobs:
    """A database of jobs, and workers of the answer's that run them."""

    def __init__(
        self,
        attempt: Attempt,
        name: str,
        payloads: Sequence[str],
        *,
        tries: int,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self.attempt, self.tries, self.lease = attempt, tries, lease
        self.path = attempt.folder / f"{name}.sqlite"
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(TABLES)
            database.executemany("INSERT INTO jobs (payload) VALUES (?)", [(each,) for each in payloads])

    async def start(self, *, kill_before: int = 0, slow: str = "-") -> asyncio.subprocess.Process:
        figures = [str(self.lease), str(self.tries), str(kill_before), slow]
        program, pipe = str(Path(worker_process.__file__)), asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-S", program, str(self.attempt.path), str(self.path), *figures,
            stdin=pipe, stdout=pipe, stderr=pipe,
        )  # fmt: skip

    async def work(self, *, kill_before: int = 0) -> Ended:
        """Run one worker to its end, whatever that is."""
        return await ended(await self.start(kill_before=kill_before))

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.path)) as database:
            return database.execute(statement).fetchall()

    def statuses(self) -> dict[str, int]:
        return {
            str(status): int(str(count))
            for status, count in self.rows(
                "SELECT status, count(*) FROM jobs GROUP BY status ORDER BY status"
            )
        }

    def effects(self) -> list[int]:
        """How many effects each job has, in the order of jobs."""
        counts = "SELECT count(effects.job) FROM jobs LEFT JOIN effects ON job = id GROUP BY id ORDER BY id"
        return [int(str(count)) for (count,) in self.rows(counts)]


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, errors = await process.communicate()
    assert process.returncode is not None
    ran = [line.removeprefix("run ") for line in out.decode().splitlines() if line.startswith("run ")]
    return Ended(process.returncode, ran, errors.decode(errors="replace"))


def kill(process: asyncio.subprocess.Process) -> None:
    """End it, unless it has ended."""
    with suppress(ProcessLookupError):
        process.kill()


@dataclass(frozen=True)
class Hanging:
    """A worker that waits in the middle of a job."""

    process: asyncio.subprocess.Process

    async def go_on(self) -> Ended:
        assert self.process.stdin is not None
        self.process.stdin.write(b"go on\n")
        return await ended(self.process)


@asynccontextmanager
async def hanging(jobs: Jobs, slow: str) -> AsyncIterator[Hanging]:
    """A worker that has the job with this payload in its hands, and does nothing."""
    process = await jobs.start(slow=slow)
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            if line.decode().strip() == f"run {slow}":
                break
        yield Hanging(process)
    finally:
        kill(process)
        await process.wait()


class CrashProofWorkerCheck(Check):
    seconds = 28

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        attempt.get("work")  # what can't even be loaded says so here, in this process
        self.attempt, self.findings = attempt, findings
        await self.killed_at_ten_moments()
        await self.a_slow_worker()
        await self.a_living_worker()
        await self.poison()

    async def to_the_end(self, what: str, jobs: Jobs) -> Ended:
        """One more worker, which nobody kills, must finish all that is left."""
        process = await jobs.start()
        try:
            async with asyncio.timeout(PATIENCE):
                last = await ended(process)
        except TimeoutError:
            kill(process)
            self.fits(what, f"still waiting after {PATIENCE:g} s", jobs, holds=False)
            raise AssertionError("unreachable: the measure above did not hold") from None
        self.raised(last)
        self.fits(what, "finished", jobs, holds=True)
        return last

    def fits(self, what: str, measured: str, jobs: Jobs, *, holds: bool) -> None:
        counts = Table(["status", "jobs"], list(jobs.statuses().items()))
        self.findings.expect(
            what, measured=measured, wanted="finished", holds=holds, evidence=counts,
            step="Some jobs are never free again: take those whose lease is over, too.",
        )  # fmt: skip

    def raised(self, worker: Ended) -> None:
        if worker.code not in (0, -9):
            last = worker.errors.strip().splitlines()[-1:] or [f"exit code {worker.code}"]
            self.findings.expect(
                "a worker", measured=last[0], wanted="it raises nothing", holds=False,
                step="Mend what raised: the last lines are below.", evidence=worker.errors[-1500:],
            )  # fmt: skip

    async def killed_at_ten_moments(self) -> None:
        """Ten moments in a row, first and order drawn: together they meet each step of a job."""
        jobs = Jobs(self.attempt, "killed", [self.attempt.token() for _ in range(JOBS)], tries=8)
        first = self.attempt.random.randint(12, 19)
        moments = list(range(first, first + KILLS))
        self.attempt.random.shuffle(moments)
        for moment in moments:
            self.raised(await jobs.work(kill_before=moment))
        await self.to_the_end(f"the worker after {KILLS} that were killed", jobs)
        counts = jobs.effects()
        seen = Table(["effects of a job", "jobs"], sorted(Counter(counts).items()))
        with self.findings.together():
            self.findings.equal(
                "jobs whose effect is missing", counts.count(0), 0, evidence=seen,
                step="A crash came between taking a job and its effect. Leave a trace that frees it again.",
            )  # fmt: skip
            self.findings.equal(
                "jobs whose effect is there twice", sum(count > 1 for count in counts), 0, evidence=seen,
                step="A crash came between the effect and the job's end: write both in one transaction.",
            )  # fmt: skip
            self.findings.equal(
                "statuses at the end", jobs.statuses(), {"done": JOBS},
                step="Every job ends as done, also one whose worker was killed.",
            )  # fmt: skip

    async def a_slow_worker(self) -> None:
        """It hangs in a job for longer than its lease; meanwhile another worker does everything."""
        payloads = [self.attempt.token() for _ in range(6)]
        jobs = Jobs(self.attempt, "slow", payloads, tries=8)
        async with hanging(jobs, self.attempt.random.choice(payloads)) as slow:
            await self.to_the_end("a worker beside one that hangs in a job", jobs)
            self.raised(await slow.go_on())
        self.findings.equal(
            "effects of each job, when a slow worker came back", jobs.effects(), [1] * len(payloads),
            step="Its lease was over, and another had the job: write only under the lease in force.",
        )  # fmt: skip

    async def a_living_worker(self) -> None:
        """It takes long over a job, well within its lease; another one does the rest, and leaves it alone."""
        payloads = [self.attempt.token() for _ in range(6)]
        jobs = Jobs(self.attempt, "living", payloads, tries=8, lease=LONG_LEASE)
        its = self.attempt.random.choice(payloads[:-1])  # after the last one the other would have no work
        async with hanging(jobs, its) as living:
            other = await jobs.start()
            for _ in range(int(PATIENCE / 0.05)):
                await asyncio.sleep(0.05)
                if sum(jobs.effects()) >= len(payloads) - 1:
                    break
            await asyncio.sleep(LOOK_AROUND)
            self.raised(await living.go_on())
            kill(other)
            ran = (await ended(other)).ran
        with self.findings.together():
            self.findings.equal(
                "runs of a job whose worker lives", 1 + ran.count(its), 1,
                step="A running job is free only when its lease is over: look at lease_until.",
            )  # fmt: skip
            self.findings.equal(
                "effects of each job, with two workers", jobs.effects(), [1] * len(payloads),
                step="A worker that is within its lease may write.",
            )  # fmt: skip

    async def poison(self) -> None:
        tries = self.attempt.random.randint(3, 5)
        payloads = [self.attempt.token() for _ in range(7)]
        place = self.attempt.random.randrange(7)
        payloads[place] = f"{POISON} {self.attempt.token()}"
        jobs = Jobs(self.attempt, "poison", payloads, tries=tries)
        ran: list[str] = []
        for _ in range(tries + 2):
            worker = await jobs.work()
            self.raised(worker)
            ran += worker.ran
            if not worker.killed:
                break
        with self.findings.together():
            self.findings.equal(
                "times that the poison was run", ran.count(payloads[place]), tries,
                step=f"Count the try when claiming, since who is killed counts nothing; {tries} are allowed.",
            )  # fmt: skip
            self.findings.equal(
                "statuses at the end, with one poison", jobs.statuses(), {"dead": 1, "done": 6},
                step="Set the poison aside as dead after its tries, and go on with the others.",
            )  # fmt: skip
