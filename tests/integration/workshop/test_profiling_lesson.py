"""Lesson 5's endpoint: each mended step gives the same answer, and each fault put back breaks the budget."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.workshop.budget import OverBudget, spent
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.endpoint import BUDGET, STEPS, Build
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.shelf import Shelf

OVERSPENT = {"titles": "queries", "distinct": "calls", "mark": "JSON parsed", "greet": "files opened"}


@pytest.fixture
async def shelf(empty_database: DatabaseUrl) -> AsyncIterator[Shelf]:
    opened = await Shelf.open(empty_database.dsn)
    yield opened
    await opened.close()


async def test_each_build_gives_the_same_answer(shelf: Shelf) -> None:
    answers = [await Build().mended(*steps).answer(shelf) for steps in ((), *((step,) for step in STEPS))]
    assert len(answers[0]["sources"]) > 100
    assert all(answer == answers[0] for answer in answers[1:])
    assert await Build().answer(shelf) == answers[0]


async def test_the_good_build_keeps_its_budget(shelf: Shelf) -> None:
    good = Build().mended()
    BUDGET.hold(await spent(lambda: good.answer(shelf), shelf.engine))


@pytest.mark.parametrize("step", STEPS)
async def test_a_fault_put_back_breaks_it(step: str, shelf: Shelf) -> None:
    build = Build().mended().broken(step)
    with pytest.raises(OverBudget, match=OVERSPENT[step]):
        BUDGET.hold(await spent(lambda: build.answer(shelf), shelf.engine))


async def test_queries_stay_the_same_for_any_number_of_passages(shelf: Shelf) -> None:
    good = Build().mended()
    counts = [
        (await spent(lambda most=most: good.answer(shelf, most=most), shelf.engine))["queries"]
        for most in (10, 200)
    ]
    assert counts[0] == counts[1]


async def test_its_schema_goes_with_it(empty_database: DatabaseUrl) -> None:
    opened = await Shelf.open(empty_database.dsn)
    await opened.close()
    connection = await asyncpg.connect(empty_database.dsn)
    try:
        left = await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = 'lesson_05'")
    finally:
        await connection.close()
    assert left == 0
    assert not opened.greetings.exists()
