"""Each profiler finds what is planted for it: a share, a count, a line."""

import asyncio
import threading
import time

import pytest

from prodigon_lib.workshop.budget import Budget, OverBudget
from prodigon_lib.workshop.overhead import overhead
from prodigon_lib.workshop.profilers import lined, sampled, traced
from prodigon_lib.workshop.sampler import sampled_threads

SPIN = 0.08


def heavy(seconds: float = SPIN) -> int:
    count, end = 0, time.thread_time() + seconds
    while time.thread_time() < end:
        count += sum(range(200))
    return count


def light() -> int:
    return heavy(SPIN / 8)


def test_sampling_sees_where_the_time_goes() -> None:
    with sampled() as run:
        heavy()
        light()
    assert run.profile.share("heavy") > 0.9
    assert 0 < run.profile.share("light") < 0.5
    assert run.cpu > SPIN


async def test_waiting_is_time_of_whoever_awaits() -> None:
    async def ask() -> None:
        await asyncio.sleep(0.1)

    async def other() -> None:
        await asyncio.sleep(0)
        heavy()

    beside = asyncio.create_task(other())
    with sampled() as run:
        await ask()
    await beside
    assert run.profile.share("ask") > 0.8
    assert run.profile.share("heavy") == 0, "another task's work is not of this coroutine"


def test_tracing_counts_calls_of_python_and_of_c() -> None:
    with traced() as run:
        [sorted([2, 1]) for _ in range(250)]
        light()
    assert run.count("sorted") == 250
    assert run.count("light") == run.count("heavy") == 1
    assert run.calls > 252
    assert run.own_share("nothing") == 0


def test_lines_are_timed_and_counted() -> None:
    def work() -> int:
        total = 0
        for number in range(50):
            total += number
            total += sum(range(4_000))
        return total

    with lined(work) as run:
        work()
    assert run.share("sum(range(4_000))") > 0.5
    assert [line.hits for line in run.lines if "total += number" in line.source] == [50]


def test_another_thread_is_sampled_and_its_waiting_left_out() -> None:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            heavy(0.02)

    thread = threading.Thread(target=work, name="watched")
    waiter = threading.Thread(target=done.wait, name="waiter")
    thread.start()
    waiter.start()
    with sampled_threads("watched") as busy, sampled_threads("waiter") as idle:
        light()
        thread.join(0.4)
    done.set()
    thread.join()
    waiter.join()
    assert busy.profile.share("heavy") > 0.8
    assert idle.profile.total == 0


def test_tracing_costs_more_where_there_are_more_calls() -> None:
    def tiny(number: int) -> int:
        return number + 1

    def calls() -> None:
        for number in range(20_000):
            tiny(number)

    ratio = overhead(calls, {"cProfile": traced})["cProfile"]
    assert ratio.value > 1.5
    assert ratio.low <= ratio.value <= ratio.high


def test_a_budget_names_what_was_overspent() -> None:
    budget = Budget({"queries": 2, "calls": 1_000})
    budget.hold({"queries": 2, "calls": 1_000, "files opened": 9})
    with pytest.raises(OverBudget, match="queries: 40 spent, 2 allowed") as caught:
        budget.hold({"queries": 40, "calls": 1_000})
    assert "calls" not in str(caught.value)
    assert budget.table({"queries": 3, "calls": 1}).rows[0] == ("queries", "3", "2", "over")
    with pytest.raises(KeyError):
        budget.over({"queries": 1})
