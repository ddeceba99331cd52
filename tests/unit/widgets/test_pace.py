"""A stream that trickles is read in beats, and one that is there is read at once."""

import asyncio
from collections.abc import AsyncIterator

from prodigon_lib.widgets.pace import in_beats


async def trickle(source: asyncio.Queue[int | None], waits: list[int]) -> AsyncIterator[int]:
    while True:
        if source.empty():
            waits.append(source.qsize())
        item = await source.get()
        if item is None:
            return
        yield item


async def feed(source: asyncio.Queue[int | None], count: int) -> None:
    for number in range(count):
        source.put_nowait(number)
        await asyncio.sleep(0.003)
    source.put_nowait(None)


async def test_what_trickles_wakes_its_reader_once_a_beat() -> None:
    source: asyncio.Queue[int | None] = asyncio.Queue()
    waits: list[int] = []
    feeding = asyncio.create_task(feed(source, 100))
    began = asyncio.get_running_loop().time()
    read = [item async for item in in_beats(trickle(source, waits), beat=0.05)]
    took = asyncio.get_running_loop().time() - began
    await feeding
    assert read == list(range(100))
    assert len(waits) <= took / 0.05 + 2  # without beats: as often as there are items
    assert len(waits) < 50


async def test_what_is_there_is_read_without_a_pause() -> None:
    source: asyncio.Queue[int | None] = asyncio.Queue()
    for item in (*range(1000), None):
        source.put_nowait(item)
    reading = [item async for item in in_beats(trickle(source, []), beat=60.0)]
    assert reading == list(range(1000))
