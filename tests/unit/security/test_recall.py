"""How long something that was looked up is gone on with."""

from prodigon_lib.security.recall import Recall
from tests.clock import Clock


class Table(dict[str, int]):
    """Counts how often it is asked."""

    asked = 0

    async def look_up(self, key: str) -> int | None:
        self.asked += 1
        return self.get(key)


async def test_it_is_looked_up_again_after_its_time() -> None:
    clock, table = Clock(), Table(a=1)
    recall: Recall[str, int] = Recall(seconds=5, clock=clock)
    for now, asked in ((0.0, 1), (4.9, 1), (5.0, 2)):
        clock.now = now
        assert await recall.get("a", lambda: table.look_up("a")) == 1
        assert table.asked == asked


async def test_what_is_not_there_is_looked_up_each_time() -> None:
    table = Table()
    recall: Recall[str, int] = Recall()
    for _ in range(3):
        assert await recall.get("b", lambda: table.look_up("b")) is None
    assert table.asked == 3


async def test_it_keeps_no_more_than_it_may() -> None:
    table = Table(a=1, b=2)
    recall: Recall[str, int] = Recall(most=1)
    for key in "aba":
        await recall.get(key, lambda key=key: table.look_up(key))
    assert table.asked == 3


async def test_what_was_under_way_when_it_was_cleared_is_not_kept() -> None:
    table = Table(a=1)
    recall: Recall[str, int] = Recall()

    async def changed_meanwhile() -> int | None:
        found = await table.look_up("a")
        recall.clear()
        return found

    await recall.get("a", changed_meanwhile)
    await recall.get("a", lambda: table.look_up("a"))
    assert table.asked == 2
