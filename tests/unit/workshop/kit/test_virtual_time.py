"""A loop whose time jumps."""

import asyncio
import time

import pytest

from prodigon_lib.workshop.checks.virtual_time import run_virtually


def test_an_hour_passes_at_once_and_in_order() -> None:
    async def work() -> tuple[list[str], float]:
        order: list[str] = []

        async def after(seconds: float, word: str) -> None:
            await asyncio.sleep(seconds)
            order.append(word)

        await asyncio.gather(after(3600, "hour"), after(0.001, "moment"), after(60, "minute"))
        return order, time.monotonic()

    began = time.monotonic()
    order, passed = run_virtually(work())
    assert order == ["moment", "minute", "hour"]
    assert passed == pytest.approx(3600)
    assert time.monotonic() - began < 60


def test_a_timeout_ends_what_waits_for_ever() -> None:
    async def work() -> None:
        async with asyncio.timeout(30):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run_virtually(work())


def test_a_thread_is_waited_for() -> None:
    assert run_virtually(asyncio.to_thread(sum, [1, 2])) == 3
