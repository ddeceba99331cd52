"""Counters count what they say."""

import asyncio
import threading

import pytest
from sqlalchemy import create_engine, text

from prodigon_lib.workshop.checks import CallCounter, count_queries, live_objects, open_files, traced_memory


def test_calls_and_their_arguments_are_counted() -> None:
    counter = CallCounter(lambda x: x * 2)
    assert [counter(1), counter(2)] == [2, 4]
    assert counter.calls == 2
    assert counter.arguments == [(1,), (2,)]
    assert counter.in_flight == 0


async def test_the_peak_is_the_most_in_flight_at_once() -> None:
    async def work(_: int) -> None:
        await asyncio.sleep(0)

    counter = CallCounter(work)
    await asyncio.gather(*(counter(n) for n in range(5)))
    await counter(9)
    assert counter.peak == 5
    assert counter.calls == 6


def test_failures_are_counted_and_raised() -> None:
    counter = CallCounter(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        counter()
    assert counter.failed == 1
    assert counter.in_flight == 0


def test_threads_lose_no_count() -> None:
    counter = CallCounter(lambda: None)
    threads = [threading.Thread(target=lambda: [counter() for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.calls == 2000


def test_queries_are_counted_while_the_block_runs() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection, count_queries(engine) as queries:
        connection.execute(text("SELECT 1"))
        connection.execute(text("SELECT 2"))
    with engine.connect() as connection:
        connection.execute(text("SELECT 3"))
    engine.dispose()
    assert queries.statements == ["SELECT 1", "SELECT 2"]
    assert len(queries) == 2


def test_memory_kept_is_told_from_memory_passed_through() -> None:
    with traced_memory() as traced:
        kept = bytearray(1_000_000)
        bytearray(5_000_000)
    assert 5_900_000 < traced.peak < 6_500_000
    assert 990_000 < traced.kept < 1_100_000
    assert len(kept) == 1_000_000


def test_live_objects_and_open_files_are_counted() -> None:
    class Thing:
        pass

    things = [Thing() for _ in range(3)]
    assert live_objects(Thing) == 3
    del things
    assert live_objects(Thing) == 0
    before = open_files()
    with open(__file__):
        assert open_files() == before + 1
