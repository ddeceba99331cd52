"""Idle connections: which is taken, and which are too old; the connections are played by the test."""

import asyncio
from dataclasses import dataclass
from math import inf
from typing import Any

from prodigon_lib.transport.connections.origin import origin_of
from prodigon_lib.transport.connections.pool import Stock

SECONDS = 100


@dataclass(eq=False)
class Idle:
    idle_since: float
    usable: bool = True
    dropped: bool = False

    def drop(self) -> None:
        self.dropped = True


def stocked(*ages: float) -> tuple[Stock, list[Any]]:
    now = asyncio.get_running_loop().time()
    stock, idle = Stock(origin_of("http://one"), SECONDS), [Idle(now - age) for age in ages]
    for each in idle:
        stock.put(each)
    return stock, idle


async def test_the_last_used_is_taken_first() -> None:
    stock, (first, second) = stocked(50, 10)
    assert [stock.take(), stock.take(), stock.take()] == [second, first, None]


async def test_one_that_is_too_old_is_ended_and_the_next_one_taken() -> None:
    """It had waited for long when its answer was read, and stands last nevertheless."""
    stock, (young, old) = stocked(50, SECONDS + 1)
    assert stock.take() is young
    assert (young.dropped, old.dropped) == (False, True)


async def test_one_that_has_ended_is_passed_over() -> None:
    stock, (whole, ended) = stocked(50, 10)
    ended.usable = False
    assert stock.take() is whole


async def test_those_that_are_too_old_are_swept() -> None:
    stock, idle = stocked(SECONDS + 2, SECONDS + 1, 10)
    stock.sweep()
    assert [each.dropped for each in idle] == [True, True, False]
    assert stock.ends == idle[2].idle_since + SECONDS
    assert stock.take() is idle[2]
    assert stock.ends == inf
