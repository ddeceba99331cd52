"""A worker that leaks, under a memory limit, and somebody who starts it again: does the job suffer?"""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from prodigon_lib.core.ids import DEFAULT_USER_ID, JobId
from prodigon_lib.core.schemas.jobs import JobSubmission, JobView
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.stack import Stack
from prodigon_lib.worker.queues.base import NewJob
from prodigon_lib.worker.queues.postgres import PostgresQueue
from prodigon_lib.workshop.load_plots import DASHED
from prodigon_lib.workshop.look import BLUE, ORANGE
from prodigon_lib.workshop.memory import MEGABYTE
from prodigon_lib.workshop.picture import Picture, Plot

MODULE = "prodigon_lib.workshop.lessons.lesson_07_memory_management.leaky_worker"
PATIENCE = 45.0
LOOK_EVERY = 0.05
TOLD = "the memory limit is reached"


@dataclass
class Recycled:
    """What was seen. `lives` has, for each process in turn, seconds and megabytes; `said` its last words."""

    limit_mb: int
    lives: list[list[tuple[float, float]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    job: JobView | None = None

    @property
    def recycled(self) -> int:
        """How many processes ended at the limit."""
        return len(self.said)

    @property
    def done(self) -> int:
        assert self.job is not None
        return self.job.completed_prompts

    def picture(self, title: str = "A worker that leaks, under a limit") -> Picture:
        plot = Plot(height=3.0)
        (axes,) = plot.axes
        for life in filter(None, self.lives):
            axes.plot(*zip(*life, strict=True), color=BLUE, linewidth=1.8)
        axes.axhline(self.limit_mb, color=ORANGE, linewidth=1.4, linestyle=DASHED, label="MEMORY_LIMIT_MB")
        axes.set(xlabel="seconds", ylabel="MB resident", ylim=(0, None), xlim=(0, None))
        axes.legend(loc="lower right", frameon=False)
        plot.title(title)
        words = f"{len(self.lives)} processes, {self.recycled} ended at {self.limit_mb} MB"
        return plot.finish(f"{title}: {words}")


async def run_recycled(stack: Stack, *, prompts: int, leak_mb: float, limit_mb: int) -> Recycled:
    """A job on the stack's own queue, done by a leaky worker in the place of the stack's, which rests."""
    seen = Recycled(limit_mb)
    queue = PostgresQueue(parse_database_url(stack.database_url))
    await queue.open()
    await asyncio.to_thread(stack.pause, "worker")
    try:
        asked = [f"{number}: why is a worker recycled?" for number in range(prompts)]
        job = NewJob(DEFAULT_USER_ID, JobSubmission(prompts=asked, max_tokens=24))
        (view,) = await queue.enqueue([job])
        settings = {"LEAK_MB": str(leak_mb), "MEMORY_LIMIT_MB": str(limit_mb), "WORKER_CONCURRENCY": "4"}
        async with asyncio.timeout(PATIENCE), kept_running(stack, settings, seen):
            while view.completed_at is None:
                await asyncio.sleep(LOOK_EVERY)
                view = await queue.get(DEFAULT_USER_ID, JobId(view.job_id))
        seen.job = view
    finally:
        await asyncio.to_thread(stack.resume, "worker")
        await queue.close()
    return seen


@asynccontextmanager
async def kept_running(stack: Stack, settings: Mapping[str, str], seen: Recycled) -> AsyncIterator[None]:
    """The whole of what a supervisor does: start it, and start it again whenever it has ended."""
    with TemporaryDirectory(prefix="prodigon-recycled-") as folder:
        log = Path(folder) / "worker.log"
        keeper = asyncio.create_task(keep(stack, settings, seen, log))
        try:
            yield
        finally:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
            lines = await asyncio.to_thread(log.read_text)
            seen.said += [line for line in lines.splitlines() if TOLD in line]


async def keep(stack: Stack, settings: Mapping[str, str], seen: Recycled, log: Path) -> None:
    began = time.perf_counter()
    while True:
        process = await asyncio.to_thread(start, stack, settings, log)
        seen.lives.append([])
        try:
            while process.poll() is None:
                with contextlib.suppress(psutil.Error):
                    held = psutil.Process(process.pid).memory_info().rss / MEGABYTE
                    if held > 0:  # one that has ended and is not yet buried holds nothing
                        seen.lives[-1].append((time.perf_counter() - began, held))
                await asyncio.sleep(LOOK_EVERY)
        finally:
            process.kill()
            process.wait()


def start(stack: Stack, settings: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": stack.database_url,
        "MODEL_SERVICE_URL": stack.urls["model"],
        **settings,
    }
    with log.open("ab") as output:
        command = [sys.executable, "-m", MODULE, str(port)]
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


def in_words(line: str) -> str:
    """A log line, without what is the same in all."""
    record = json.loads(line)
    return f"{record['level']}: {record['event']} ({record['resident_mb']} of {record['limit_mb']} MB)"
