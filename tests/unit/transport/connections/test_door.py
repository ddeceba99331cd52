"""Connections to one address take turns; what would make them is played by the test."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from prodigon_lib.transport.connections.door import AT_ONCE, Door
from prodigon_lib.transport.connections.faults import NobodyListens, NoConnectionInTime
from tests.polling import eventually

LIMIT = 0.05


@dataclass(eq=False)
class Made:
    """A connection."""

    closed: bool = False

    def drop(self) -> None:
        self.closed = True


@dataclass
class Service:
    """Takes a connection once `open` is set, and some `seconds` and `passes` of the loop later, each of which
    is `busy` for so long; refuses it then, when `refuses`."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    refuses: bool = False
    seconds: float = 0
    passes: int = 3
    busy: float = 0
    waiting: int = 0
    asked: int = 0
    made: list[Made] = field(default_factory=list)
    spare: list[Made] = field(default_factory=list)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1000))
    on_made: Callable[[], object] = lambda: None

    async def connect(self) -> Any:
        self.asked += 1
        self.waiting += 1
        try:
            await self.open.wait()
            if self.seconds:
                await asyncio.sleep(self.seconds)
            for _ in range(self.passes):  # a connection is heard of, then made, then handed over
                be_busy(self.busy)
                await asyncio.sleep(0)
        finally:
            self.waiting -= 1
        if self.refuses:
            raise ConnectionRefusedError
        self.made.append(Made())
        self.on_made()
        return self.made[-1]

    def take(self) -> Any:
        return self.spare.pop() if self.spare else None

    def door(self) -> Door:
        return Door("one:80", self.connect, self.take, self.room, LIMIT)


@pytest.fixture
async def service() -> Service:
    return Service()


def begin(door: Door, count: int) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(door.pass_through()) for _ in range(count)]


def be_busy(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_they_take_turns_and_all_get_in(service: Service) -> None:
    tasks = begin(service.door(), 3 * AT_ONCE)
    await settle()
    assert service.waiting == AT_ONCE
    service.open.set()
    assert set(await asyncio.gather(*tasks)) == set(service.made)
    assert len(service.made) == 3 * AT_ONCE


async def test_who_waited_takes_one_that_came_free(service: Service) -> None:
    tasks = begin(service.door(), 2 * AT_ONCE)
    await settle()
    service.spare = free = [Made() for _ in range(AT_ONCE)]
    expected = {*free}
    service.open.set()
    found = set(await asyncio.gather(*tasks))
    assert found == expected | set(service.made)
    assert len(service.made) == AT_ONCE


async def test_who_wants_a_new_one_gets_one(service: Service) -> None:
    service.spare = [Made()]
    service.open.set()
    assert await service.door().pass_through(fresh=True) == service.made[0]
    assert len(service.spare) == 1


async def test_what_hangs_is_given_up(service: Service) -> None:
    (task,) = begin(service.door(), 1)
    with pytest.raises(NoConnectionInTime, match="in time"):
        await asyncio.wait_for(task, 10)
    assert service.waiting == 0


async def test_where_nobody_gets_in_who_waits_is_told_soon(service: Service) -> None:
    errors = await asyncio.gather(*begin(service.door(), 10 * AT_ONCE), return_exceptions=True)
    assert all(isinstance(error, NoConnectionInTime) for error in errors)
    assert service.asked <= 2 * AT_ONCE  # the last of the first ones make room for some before they fail


async def test_where_somebody_gets_in_who_waits_still_tries(service: Service) -> None:
    service.open.set()
    service.on_made = lambda: setattr(service, "refuses", True)  # all but the first one
    errors = await asyncio.gather(*begin(service.door(), 3 * AT_ONCE), return_exceptions=True)
    assert len(service.made) >= 1
    assert service.asked == 3 * AT_ONCE
    assert not any(isinstance(error, NoConnectionInTime) for error in errors)


async def test_one_that_is_given_up_turns_nobody_else_away(service: Service) -> None:
    tasks = begin(service.door(), 2 * AT_ONCE)
    await settle()
    tasks[0].cancel()
    service.open.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert set(ended[1:]) == set(service.made)
    assert len(service.made) == 2 * AT_ONCE - 1


async def test_a_loop_that_is_busy_beyond_the_limit_still_hears_of_it(service: Service) -> None:
    """The connection was there in time; the loop was elsewhere until after the timer was due."""
    (task,) = begin(service.door(), 1)
    await settle()
    service.open.set()
    be_busy(4 * LIMIT)
    assert [await task] == service.made


async def test_a_loop_of_long_passes_hears_of_it_in_some_of_them(service: Service) -> None:
    """It was hardly late when the time limit came; but a connection that was there takes several."""
    service.busy, service.passes = LIMIT, 6
    (task,) = begin(service.door(), 1)
    await settle()
    service.open.set()
    be_busy(LIMIT)
    assert [await task] == service.made


async def test_a_loop_that_was_long_away_gives_up_what_hangs_soon(service: Service) -> None:
    (task,) = begin(service.door(), 1)
    await settle()
    be_busy(4)
    with pytest.raises(NoConnectionInTime):
        await asyncio.wait_for(task, 2)


async def test_what_was_to_be_said_meanwhile_is_said_then(service: Service) -> None:
    """As of TLS, whose other side waits for us in between."""
    service.seconds = LIMIT / 5
    (task,) = begin(service.door(), 1)
    await settle()
    be_busy(4 * LIMIT)
    service.open.set()
    assert [await task] == service.made


async def test_a_few_wait_with_room_for_one_that_hangs(service: Service) -> None:
    tasks = begin(service.door(), 3 * AT_ONCE)
    await settle()
    assert service.room._value == 1000 - AT_ONCE
    tasks.pop().cancel()
    tasks.pop(0).cancel()
    service.open.set()
    await asyncio.gather(*tasks)
    assert service.room._value == 1000 - len(service.made) == 1000 - len(tasks)


async def test_nobody_connects_while_there_is_no_room(service: Service) -> None:
    service.room = asyncio.Semaphore(2)
    service.open.set()
    tasks = begin(service.door(), 4)
    await eventually(lambda: len(service.made) == 2)
    await asyncio.sleep(3 * LIMIT)  # which takes nothing of the time to connect
    assert service.asked == 2
    service.spare = [service.made[0]]
    for _ in range(2):
        service.room.release()
    assert (await asyncio.gather(*tasks))[2:] == [service.made[0], service.made[2]]


async def test_who_is_refused_leaves_its_room(service: Service) -> None:
    service.refuses = True
    service.open.set()
    await asyncio.gather(*begin(service.door(), 2 * AT_ONCE), return_exceptions=True)
    assert service.room._value == 1000


async def test_who_comes_later_tries_anew(service: Service) -> None:
    door = service.door()
    service.refuses = True
    service.open.set()
    errors = await asyncio.gather(*begin(door, 2 * AT_ONCE), return_exceptions=True)
    assert all(isinstance(error, NobodyListens) for error in errors)
    service.refuses = False
    assert await asyncio.gather(*begin(door, 1)) == service.made[-1:]


async def test_one_that_is_made_in_the_moment_it_is_given_up_is_closed(service: Service) -> None:
    """A busy loop hears of a connection and of the end of its caller's time in the same turn."""
    (task,) = begin(service.door(), 1)
    service.on_made = task.cancel
    service.open.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await settle()
    assert [connection.closed for connection in service.made] == [True]
