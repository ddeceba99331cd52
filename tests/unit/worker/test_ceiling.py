"""When the worker's memory has grown to its limit."""

import asyncio

import pytest

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.worker import ceiling
from prodigon_lib.worker.ceiling import MEGABYTE, Ceiling


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceiling, "EVERY_SECONDS", 0.001)


async def test_it_ends_once_at_the_limit_and_not_before() -> None:
    held = iter([80, 99, 60, 100])
    looked: list[int] = []
    ends: list[int] = []
    rooms: list[int] = []

    def resident() -> int:
        looked.append(next(held) * MEGABYTE)
        return looked[-1]

    def limit_growth(more: int) -> None:
        rooms.append(more)

    await Ceiling(100 * MEGABYTE, resident, lambda: ends.append(len(looked)), limit_growth).run()
    assert (ends, len(looked)) == ([4], 4)
    assert rooms == [40 * MEGABYTE]


async def test_below_the_limit_it_watches_on() -> None:
    watch = asyncio.create_task(
        Ceiling(100, lambda: 99, lambda: pytest.fail("it ended"), lambda _: None).run()
    )
    done, _ = await asyncio.wait({watch}, timeout=0.05)
    assert not done
    watch.cancel()


def test_a_limit_below_what_it_holds_at_rest_is_refused() -> None:
    assert Ceiling.of(None) is None
    with pytest.raises(SettingsError, match="MEMORY_LIMIT_MB: 5 is too little; the worker holds"):
        Ceiling.of(5)
    found = Ceiling.of(100_000)
    assert found is not None
    assert found.limit == 100_000 * MEGABYTE
