"""An answer in HTTP/1.1, cut anywhere on its way: what it says, and what becomes of its connection."""

import asyncio
import random
from dataclasses import dataclass, field
from math import inf

import pytest

from prodigon_lib.core.time_limits import Ticker
from prodigon_lib.transport.connections.answer import AHEAD, HEAD_LIMIT, Answer
from prodigon_lib.transport.connections.faults import ConnectionBroke

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = OK + b"Content-Length: 5\r\n\r\nHello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nHe\r\n3;of=three\r\nllo\r\n0\r\nX-After: 1\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nX-Early: 1\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass
class Line:
    """The connection."""

    paused: bool = False
    ended: list[bool] = field(default_factory=list)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def finished(self, *, again: bool) -> None:
        self.ended.append(again)


def answer_on(line: Line, between: float = inf, ticker: Ticker | None = None) -> Answer:
    return Answer(line, asyncio.get_running_loop(), between, ticker)


def cut(data: bytes, seed: int) -> list[bytes]:
    """Seed 0 leaves it whole, seed 1 cuts it to single bytes."""
    if seed == 0:
        return [data]
    lot = random.Random(seed)
    places = sorted(lot.sample(range(1, len(data)), len(data) - 1 if seed == 1 else min(len(data) - 1, 4)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


async def told(data: bytes, seed: int = 0, *, closes: bool = False) -> tuple[Answer, bytes, bool]:
    """The answer, its body, and whether its connection may serve again."""
    line = Line()
    answer = answer_on(line)

    async def arrive() -> None:
        for part in cut(data, seed):
            answer.feed(part)
            if seed % 2:
                await asyncio.sleep(0)
        if closes:
            answer.closed()

    arriving = asyncio.create_task(arrive())
    try:
        async with asyncio.timeout(5):
            await answer.begin()
            body = await answer.read()
    finally:
        await arriving
        answer.release()
    return answer, body, line.ended == [True]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("data", "status", "body", "again"),
    [
        (HELLO, 200, b"Hello", True),
        (CHUNKED, 200, b"Hello", True),
        (EARLY + HELLO, 200, b"Hello", True),
        (CONTINUE + EARLY + CHUNKED, 200, b"Hello", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b"", True),
        (b"HTTP/1.1 503 Away\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n", 503, b"", True),
        (OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nHello", 200, b"Hello", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nHello", 200, b"Hello", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nHello", 200, b"Hello", True),
    ],
)
async def test_an_answer(seed: int, data: bytes, status: int, body: bytes, again: bool) -> None:
    answer, found, serves = await told(data, seed)
    assert (answer.status, found, serves) == (status, body, again)


@pytest.mark.parametrize("seed", range(4))
async def test_a_body_without_a_length_ends_with_its_connection(seed: int) -> None:
    answer, body, serves = await told(OK + b"X-One: 1\r\n\r\nHello", seed, closes=True)
    assert (answer.status, body, serves) == (200, b"Hello", False)


async def test_a_connection_that_is_lost_is_no_end() -> None:
    """It was ours that ended it, or theirs with a reset."""
    answer = answer_on(Line())
    answer.feed(OK + b"X-One: 1\r\n\r\nHello")
    await answer.begin()
    answer.lost()
    with pytest.raises(ConnectionBroke):
        await answer.read()


@pytest.mark.parametrize("seed", range(4))
async def test_headers_are_the_answers_own(seed: int) -> None:
    answer, _, _ = await told(EARLY + OK + b"Retry-After: 3\r\nContent-Length: 0\r\n\r\n", seed)
    assert answer.headers == {b"retry-after": b"3", b"content-length": b"0"}
    answer, _, _ = await told(CHUNKED, seed)
    assert answer.headers == {b"transfer-encoding": b"chunked"}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "data",
    [
        HELLO[:-1],
        OK + b"Content-Length: 5\r\n",
        OK[:9],
        CHUNKED[:-20],
        CHUNKED[: CHUNKED.index(b"3;of") + 12],
        EARLY,
        OK + b"Transfer-Encoding: gzip\r\n\r\nwho knows",
    ],
)
async def test_one_that_is_cut_is_no_answer(data: bytes, seed: int) -> None:
    with pytest.raises(ConnectionBroke, match="before the answer"):
        await told(data, seed, closes=True)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"HTTP/1.1 000 OK\r\nContent-Length: 3\r\n\r\nabc" + HELLO,
        OK + b"Content-Length: -5\r\n\r\nHello",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nHello!",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nfive\r\nHello\r\n0\r\n\r\n",
        OK + b"X-One: a\x00b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: upgrade\r\n\r\nother words",
        b"\x00" * 99,
    ],
)
async def test_what_is_no_http(data: bytes, seed: int) -> None:
    with pytest.raises(ConnectionBroke, match="no answer in HTTP"):
        await told(data, seed, closes=True)


@pytest.mark.parametrize("endless", [b"X-%d: more\r\n", b"HTTP/1.1 100 Continue\r\nX-No: %d\r\n\r\n"])
async def test_a_head_has_an_end(endless: bytes) -> None:
    answer = answer_on(Line())
    answer.feed(OK if endless.startswith(b"X") else b"")
    fed = 0
    for number in range(1_000_000):
        answer.feed(endless % number)
        fed += len(endless % number)
        if fed > 2 * HEAD_LIMIT:
            break
    with pytest.raises(ConnectionBroke, match="has no end"):
        await answer.begin()


@pytest.mark.parametrize("endless", [b"0\r\n" + b"X-One: 1\r\n" * 7, b"5;" + b"x" * 70])
async def test_nor_is_there_more_without_end_behind_it(endless: bytes) -> None:
    """Trailers, and what may be said of a chunk, are kept until they end."""
    answer = answer_on(Line())
    answer.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n" + endless)
    await answer.begin()
    pieces = answer.pieces()
    assert await anext(pieces) == b"Hello"
    for _ in range(2 * HEAD_LIMIT // 70):
        answer.feed(endless[-7:] * 10)
    with pytest.raises(ConnectionBroke, match="has no end"):
        await anext(pieces)


async def test_a_body_may_be_long() -> None:
    """Of a stream of tokens, what frames them is more than they are."""
    answer = answer_on(Line())
    answer.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    await answer.begin()
    pieces = answer.pieces()
    for _ in range(2 * HEAD_LIMIT // 5):
        answer.feed(b"1\r\nx\r\n")
        assert await anext(pieces) == b"x"


@pytest.mark.parametrize("whole", [True, False])
async def test_a_connection_that_serves_again_is_read_again(whole: bool) -> None:
    """The last of a large answer came while its reader was elsewhere."""
    line = Line()
    answer = answer_on(line)
    answer.feed(OK + b"Content-Length: 300000\r\n\r\n")
    answer.feed(b"x" * (150_000 if whole else 300_000))
    await answer.begin()
    assert line.paused == whole
    if whole:  # what was on its way when we stopped it
        answer.feed(b"x" * 150_000)
        assert len(await answer.read()) == 300_000
    else:
        assert [len(piece) async for piece in answer.pieces()] == [300_000]
    answer.release()
    assert line.ended == [True]
    assert not line.paused


@pytest.mark.parametrize("more", [b"H", HELLO, b"junk", b"\r\n"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_who_says_more_than_was_asked_serves_no_other_call(more: bytes, at_once: bool) -> None:
    line = Line()
    answer = answer_on(line)
    beginning = asyncio.ensure_future(answer.begin())
    await asyncio.sleep(0)
    if at_once:
        answer.feed(HELLO + more)
    else:
        answer.feed(HELLO)
        answer.feed(more)
    await asyncio.wait_for(beginning, 10)
    assert await answer.read() == b"Hello"
    answer.release()
    assert line.ended == [at_once and more == b"\r\n"]  # an empty line before an answer says nothing


async def test_one_that_is_not_read_to_its_end_ends_its_connection() -> None:
    line = Line()
    answer = answer_on(line)
    answer.feed(HELLO[:-1])
    await answer.begin()
    answer.release()
    answer.release()
    assert line.ended == [False]


async def test_pieces_come_as_they_arrive_and_those_before_a_fault_too() -> None:
    answer = answer_on(Line())
    answer.feed(OK + b"Content-Length: 9\r\n\r\nabc")
    await answer.begin()
    pieces = answer.pieces()
    assert await anext(pieces) == b"abc"
    answer.feed(b"d")
    answer.feed(b"e")
    answer.lost()
    assert await anext(pieces) == b"de"
    with pytest.raises(ConnectionBroke):
        await anext(pieces)


async def test_a_reader_that_is_slow_is_felt_by_the_sender() -> None:
    line = Line()
    answer = answer_on(line)
    answer.feed(OK + b"Content-Length: 1000000000\r\n\r\n")
    await answer.begin()
    pieces, fed = answer.pieces(), 0
    for _ in range(3):
        while not line.paused:
            answer.feed(b"x" * 10_000)
            fed += 10_000
            assert fed < 10 * AHEAD
        held = await anext(pieces)
        assert AHEAD < len(held) <= AHEAD + 10_000
        waiting = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        assert not line.paused
        answer.feed(b"more")
        assert await waiting == b"more"


async def test_one_that_is_read_whole_needs_no_pauses() -> None:
    line = Line()
    answer = answer_on(line)
    answer.feed(OK + b"Content-Length: 1000000\r\n\r\n")
    await answer.begin()
    reading = asyncio.ensure_future(answer.read())
    await asyncio.sleep(0)
    for _ in range(10):
        answer.feed(b"x" * 100_000)
        assert not line.paused
    assert len(await reading) == 1_000_000


async def test_a_silence_ends_it() -> None:
    ticker = Ticker()
    answer = answer_on(Line(), 0.2, ticker)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(answer.begin(), 10)
    answer.release()
    assert not ticker.running


async def test_each_part_is_awaited_anew() -> None:
    ticker = Ticker()
    answer = answer_on(Line(), 2, ticker)
    answer.feed(OK + b"Content-Length: 6\r\n\r\n")
    await answer.begin()
    pieces, found = answer.pieces(), b""
    for _ in range(5):  # together longer than one silence may be
        asyncio.get_running_loop().call_later(0.6, answer.feed, b"x")
        found += await anext(pieces)
    assert found == b"xxxxx"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(pieces), 20)


async def test_no_silence_is_counted_while_nobody_reads() -> None:
    ticker = Ticker()
    answer = answer_on(Line(), 0.2, ticker)
    answer.feed(OK + b"Content-Length: 1000000000\r\n\r\n")
    answer.feed(b"x" * (AHEAD + 1))
    await answer.begin()
    await asyncio.sleep(0.5)
    pieces = answer.pieces()
    assert len(await anext(pieces)) == AHEAD + 1
    waiting = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    answer.feed(b"more")
    assert await waiting == b"more"
