"""One look serves all who watch; nobody watches, nobody looks."""

import asyncio
from typing import Any

import pytest

from prodigon_lib.widgets.dashboard.sampling import Sampling
from tests.polling import eventually


class Observer:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.looks = self.begun = 0
        self.broken = False

    def begin(self) -> None:
        self.begun += 1

    async def look(self) -> dict[str, Any]:
        if self.broken:
            raise RuntimeError("broken")
        self.looks += 1
        return {"at": float(self.looks)}


async def test_all_who_follow_share_one_look() -> None:
    observer = Observer()
    sampling = Sampling(observer, every=60)
    one, other = sampling.follow(), sampling.follow()
    assert (await anext(one))["history"] == []
    assert (await anext(other))["history"] == []
    assert await asyncio.gather(anext(one), anext(other)) == [{"point": {"at": 1.0}}] * 2
    assert observer.looks == 1
    await one.aclose()  # type: ignore[attr-defined]
    await other.aclose()  # type: ignore[attr-defined]


async def test_with_nobody_left_it_rests_and_remembers() -> None:
    observer = Observer()
    sampling = Sampling(observer, every=0.001, linger=0)
    follower = sampling.follow()
    await anext(follower)
    await eventually(lambda: observer.looks >= 3)
    tasks = asyncio.all_tasks()
    await follower.aclose()  # type: ignore[attr-defined]
    await eventually(lambda: len(asyncio.all_tasks()) == len(tasks) - 1)
    looked = observer.looks
    again = sampling.follow()
    assert len((await anext(again))["history"]) == looked
    assert observer.begun == 1
    await anext(again)
    assert observer.begun == 2
    await again.aclose()  # type: ignore[attr-defined]


async def test_who_comes_back_soon_finds_no_hole() -> None:
    observer = Observer()
    sampling = Sampling(observer, every=0.001)
    follower = sampling.follow()
    await anext(follower)
    await follower.aclose()  # type: ignore[attr-defined]
    await eventually(lambda: observer.looks >= 3)
    again = sampling.follow()
    assert len((await anext(again))["history"]) >= 3
    await anext(again)
    assert observer.begun == 1
    await again.aclose()  # type: ignore[attr-defined]
    sampling.close()


async def test_a_look_that_breaks_is_told_to_who_follows() -> None:
    observer = Observer()
    observer.broken = True
    follower = Sampling(observer).follow()
    await anext(follower)
    with pytest.raises(RuntimeError, match="broken"):
        await anext(follower)
