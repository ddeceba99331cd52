"""The same work four ways: one after the other, in threads, in processes, and with asyncio.

Imports little, since the processes of a pool import it, too.
"""

import asyncio
import http.client
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil

from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism.scoring import score
from prodigon_lib.workshop.pool import process_pool

if TYPE_CHECKING:
    from prodigon_lib.workshop.picture import Picture

WAYS = ("serial", "threads", "processes", "asyncio")
ROUNDS = 3
PASSAGES = 5_000
QUESTION = {"prompt": "What is a thread?", "max_tokens": 8}


def compute(number: int) -> float:
    """Work for a processor: plain Python."""
    return score(f"question {number}", PASSAGES)


def ask(url: str) -> int:
    """Work for somebody else: a request to the model service, and the wait for its answer; its status."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request("POST", "/inference", json.dumps(QUESTION), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


async def compute_async(number: int) -> float:
    """An async def does not make work for a processor shorter, nor does it let others in between."""
    return compute(number)


@dataclass(frozen=True)
class Compared:
    """By way: seconds, what came out, and how many processors were at work on average meanwhile."""

    seconds: Mapping[str, float]
    results: Mapping[str, Sequence[Any]]
    processors: Mapping[str, float]

    @property
    def speed_up(self) -> dict[str, float]:
        return {way: self.seconds["serial"] / took for way, took in self.seconds.items()}


async def compare(
    work: Callable[[Any], Any], async_work: Callable[[Any], Any], items: Sequence[Any], *, workers: int
) -> Compared:
    """Each way in turn, some times; the quickest of each counts. The pools are warm before the clock runs."""
    with ThreadPoolExecutor(workers) as threads, process_pool(workers) as processes:
        started: set[int] = set()
        while len(started) < workers:
            started.update(await asyncio.to_thread(through, processes, nap, range(2 * workers)))

        async def together() -> list[Any]:
            return await asyncio.gather(*map(async_work, items))

        ways: dict[str, Callable[[], Awaitable[Sequence[Any]]]] = {
            "serial": lambda: asyncio.to_thread(lambda: [work(item) for item in items]),
            "threads": lambda: asyncio.to_thread(through, threads, work, items),
            "processes": lambda: asyncio.to_thread(through, processes, work, items),
            "asyncio": together,
        }
        best: dict[str, tuple[float, float, Sequence[Any]]] = {}
        for _ in range(ROUNDS):
            for way, run in ways.items():
                began, used = time.perf_counter(), processor_time()
                result = await run()
                took = time.perf_counter() - began
                if way not in best or took < best[way][0]:
                    best[way] = took, (processor_time() - used) / took, result
    return Compared(
        seconds={way: took for way, (took, _, _) in best.items()},
        processors={way: at_work for way, (_, at_work, _) in best.items()},
        results={way: result for way, (_, _, result) in best.items()},
    )


def nap(_: int) -> int:
    """Long enough for another process of the pool to take the next; this one's number."""
    time.sleep(0.03)
    return os.getpid()


def processor_time() -> float:
    """Seconds that this process and those it started have used."""
    total = time.process_time()
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            total += sum(child.cpu_times()[:2])
    return total


def through(executor: Executor, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    return list(executor.map(work, items))


def speed_up_plot(compared: Mapping[str, Compared], guesses: Mapping[str, Mapping[str, float]]) -> "Picture":
    """How many times as fast each way was, for each kind of work; the guesses as marks."""
    from prodigon_lib.workshop.load_plots import COLOURS
    from prodigon_lib.workshop.look import INK
    from prodigon_lib.workshop.picture import Plot

    plot = Plot(height=3.6)
    (axes,) = plot.axes
    high = 0.8 / len(compared)
    for place, (kind, each) in enumerate(compared.items()):
        rows = [row + (place - (len(compared) - 1) / 2) * high for row in range(len(WAYS))]
        values = [each.speed_up[way] for way in WAYS]
        axes.barh(rows, values, height=high * 0.9, color=COLOURS[place], label=kind)
        for row, way, value in zip(rows, WAYS, values, strict=True):
            axes.text(value, row, f"  {value:.2g}", fontsize=9, color=INK, va="center")
            if (guess := guesses.get(kind, {}).get(way)) is not None:
                axes.plot(guess, row, "|", color=INK, markersize=13, markeredgewidth=2)
    axes.plot([], [], "|", color=INK, markersize=11, markeredgewidth=2, label="your guess")
    axes.set(xlabel="times as fast as one after the other", ylim=(len(WAYS) - 0.45, -0.55))
    axes.set_yticks(range(len(WAYS)), list(WAYS))
    axes.grid(visible=False, axis="y")
    plot.figure.legend(loc="outside lower center", ncols=3, frameon=False)
    plot.title("What helps depends on what the work waits for")
    words = "; ".join(
        f"{kind}: {', '.join(f'{way} {value:.2g} times' for way, value in each.speed_up.items())}"
        for kind, each in compared.items()
    )
    return plot.finish(f"What helps depends on what the work waits for. {words}")
