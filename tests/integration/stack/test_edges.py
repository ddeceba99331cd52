"""Each fault of an edge as a caller sees it. The service behind it sends every line back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from prodigon_lib.stack.edges.faults import EdgeFaults
from prodigon_lib.stack.edges.plan import Address, Edge
from prodigon_lib.stack.edges.proxy import ProxiedEdge
from prodigon_lib.stack.ports import HOST, listen
from tests.polling import eventually

LONG_AGO = 0.3
"""Seconds of a fault that a test measures: far more than a loaded machine adds by itself."""


@dataclass
class Echo:
    """A service that sends each line back, and knows who is connected."""

    open: set[asyncio.StreamWriter] = field(default_factory=set)
    seen: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        self.seen += 1
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line)
                await writer.drain()
        self.open.discard(writer)
        writer.close()


class Caller:
    """A connection to the edge."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, line: bytes = b"hello\n", *, within: float = 20.0) -> bytes:
        """The answer; empty when the connection ended without one."""
        async with asyncio.timeout(within):
            try:
                self.writer.write(line)
                return await self.reader.readexactly(len(line))
            except (ConnectionError, asyncio.IncompleteReadError):
                return b""

    async def seconds(self, line: bytes = b"hello\n") -> float:
        began = asyncio.get_running_loop().time()
        assert await self.ask(line) == line
        return asyncio.get_running_loop().time() - began


@dataclass
class Place:
    """An edge, the service behind it, and callers."""

    edge: ProxiedEdge
    service: Echo
    callers: list[Caller] = field(default_factory=list)

    async def call(self) -> Caller:
        where = self.edge.edge.listen
        if isinstance(where, str):
            opened = await asyncio.open_unix_connection(where)
        else:
            opened = await asyncio.open_connection(*where)
        self.callers.append(Caller(*opened))
        return self.callers[-1]


@asynccontextmanager
async def an_edge(where: Address, behind: Address) -> AsyncIterator[Place]:
    service = Echo()
    if isinstance(behind, str):
        server = await asyncio.start_unix_server(service.serve, behind)
    else:
        server = await asyncio.start_server(service.serve, *behind)
    edge = ProxiedEdge(Edge("caller", "service", where, behind), EdgeFaults())
    await edge.start(None)
    place = Place(edge, service)
    try:
        yield place
    finally:
        server.close()
        await edge.set(EdgeFaults())
        await edge.close()
        for caller in place.callers:
            caller.writer.close()
        for writer in list(service.open):
            writer.close()
        await eventually(lambda: not service.open)


def free_port() -> int:
    with listen(0) as found:
        return int(found.getsockname()[1])


@pytest.fixture(params=["tcp", "unix"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    unix = request.param == "unix"
    where: Address = str(tmp_path / "front") if unix else (HOST, free_port())
    behind: Address = str(tmp_path / "back") if unix else (HOST, free_port())
    async with an_edge(where, behind) as found:
        yield found


async def test_without_a_fault_bytes_pass_both_ways(place: Place) -> None:
    caller = await place.call()
    assert await caller.ask() == b"hello\n"
    long = b"x" * 60_000 + b"\n"
    assert await caller.ask(long) == long
    assert place.edge.look() == {"faults": {}, "open": 1, "accepted": 1, "dropped": 0, "cut": 0}


async def test_an_end_passes_and_leaves_nothing(place: Place) -> None:
    caller = await place.call()
    await caller.ask()
    caller.writer.close()
    await eventually(lambda: not place.service.open and not place.edge.look()["open"])


async def test_latency_is_added_once_to_a_round_trip(place: Place) -> None:
    caller = await place.call()
    direct = await caller.seconds()
    await place.edge.set(EdgeFaults(latency=LONG_AGO))
    delayed = await caller.seconds()
    assert delayed >= LONG_AGO
    assert delayed - direct < 2 * LONG_AGO
    await place.edge.set(EdgeFaults())
    assert await caller.seconds() < LONG_AGO


async def test_latency_does_not_narrow(place: Place) -> None:
    """Pieces travel behind one another: twenty take hardly longer than one."""
    caller = await place.call()
    await place.edge.set(EdgeFaults(latency=LONG_AGO))
    began = asyncio.get_running_loop().time()
    for _ in range(20):
        caller.writer.write(b"hello\n")
        await asyncio.sleep(0)
    await caller.reader.readexactly(20 * 6)
    assert asyncio.get_running_loop().time() - began < 5 * LONG_AGO


async def delays(place: Place, seed: int) -> list[float]:
    await place.edge.set(EdgeFaults(jitter=LONG_AGO, seed=seed))
    caller = await place.call()
    found = [await caller.seconds() for _ in range(6)]
    caller.writer.close()
    await eventually(lambda: not place.edge.look()["open"])
    return found


async def test_jitter_differs_and_repeats_with_its_seed(place: Place) -> None:
    once, again = await delays(place, 1), await delays(place, 1)
    assert max(once) - min(once) > LONG_AGO / 10
    assert sum(abs(a - b) for a, b in zip(once, again, strict=True)) / 6 < LONG_AGO / 4


async def dropped(place: Place, seed: int) -> list[bool]:
    await place.edge.set(EdgeFaults(drop=0.4, seed=seed))
    found = []
    for _ in range(30):
        caller = await place.call()
        found.append(await caller.ask() == b"")
        caller.writer.close()
    await eventually(lambda: not place.edge.look()["open"])
    return found


async def test_drops_are_a_share_of_requests_and_repeat_with_their_seed(place: Place) -> None:
    once = await dropped(place, 5)
    assert 4 < sum(once) < 22
    assert await dropped(place, 5) == once
    assert await dropped(place, 6) != once
    assert place.service.seen > 0


async def test_drops_happen_on_a_connection_that_lasts(place: Place) -> None:
    """A pool keeps its connections: a fault of new ones alone would hardly be seen."""
    caller = await place.call()
    await caller.ask()
    await place.edge.set(EdgeFaults(drop=0.5, seed=1))
    answers = []
    while not answers or answers[-1]:
        answers.append(await caller.ask())
    assert place.edge.dropped == 1


async def test_refused_is_refused_and_ends_what_is_open(place: Place) -> None:
    caller = await place.call()
    await caller.ask()
    await place.edge.set(EdgeFaults(refuse=True))
    assert await caller.ask() == b""
    with pytest.raises(ConnectionRefusedError):
        await place.call()
    await place.edge.set(EdgeFaults())
    assert await (await place.call()).ask() == b"hello\n"


async def test_a_connection_is_cut_after_so_many_bytes(place: Place) -> None:
    await place.edge.set(EdgeFaults(cut_after=10))
    caller = await place.call()
    caller.writer.write(b"0123456789abcdef\n")
    seen = b""
    with contextlib.suppress(ConnectionError):
        while data := await caller.reader.read(100):
            seen += data
    assert seen == b"0123456789"
    assert place.edge.cut == 1


async def test_cut_at_once_also_what_was_open(place: Place) -> None:
    caller = await place.call()
    await caller.ask()
    await place.edge.set(EdgeFaults(cut_after=0))
    assert await caller.ask() == b""
    assert await (await place.call()).ask() == b""


async def test_cutting_once_spares_those_who_come_later(place: Place) -> None:
    caller = await place.call()
    await caller.ask()
    assert place.edge.cut_all() == 1
    assert await caller.ask() == b""
    assert await (await place.call()).ask() == b"hello\n"


async def test_a_black_hole_takes_connections_and_passes_nothing(place: Place) -> None:
    old = await place.call()
    await old.ask()
    await place.edge.set(EdgeFaults(black_hole=True))
    new = await place.call()
    for caller in (old, new):
        with pytest.raises(TimeoutError):
            await caller.ask(within=LONG_AGO)
    assert place.service.seen == 1


async def test_what_a_black_hole_held_passes_when_it_ends(place: Place) -> None:
    caller = await place.call()
    await caller.ask()
    await place.edge.set(EdgeFaults(black_hole=True))
    with pytest.raises(TimeoutError):
        await caller.ask(within=LONG_AGO)
    await place.edge.set(EdgeFaults())
    assert await caller.reader.readexactly(6) == b"hello\n"


async def test_a_black_hole_leaves_the_service_half_open(place: Place) -> None:
    """The caller has gone, and the service does not hear of it until the way is clear again."""
    caller = await place.call()
    await caller.ask()
    await place.edge.set(EdgeFaults(black_hole=True))
    caller.writer.close()
    await caller.writer.wait_closed()
    with pytest.raises(TimeoutError):
        await (await place.call()).ask(within=LONG_AGO)
    (left,) = place.service.open
    await place.edge.set(EdgeFaults())
    await eventually(lambda: left not in place.service.open)


async def test_bandwidth_is_so_many_bytes_a_second(place: Place) -> None:
    caller = await place.call()
    long = b"x" * 30_000 + b"\n"
    await place.edge.set(EdgeFaults(bandwidth=100_000))
    narrow = await caller.seconds(long)
    await place.edge.set(EdgeFaults())
    assert narrow > 0.25  # both ways of it overlap
    assert await caller.seconds(long) < narrow


async def test_a_service_that_went_away_is_refused_and_found_again(tmp_path: Path) -> None:
    behind = (HOST, free_port())
    async with an_edge((HOST, free_port()), (HOST, free_port())) as place:
        place.edge.edge = Edge("caller", "service", place.edge.edge.listen, behind)
        assert await (await place.call()).ask() == b""

        async def refused() -> bool:
            try:
                await place.call()
            except ConnectionRefusedError:
                return True
            return False

        assert await refused()
        server = await asyncio.start_server(place.service.serve, *behind)

        async def answers() -> bool:
            try:
                return await (await place.call()).ask() == b"hello\n"
            except ConnectionRefusedError:
                return False

        await eventually(answers)
        server.close()
