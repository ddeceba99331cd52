"""The same prompts in three ways, as the one who waits for each sees them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prodigon_lib.model.providers.simulated.tokenizer import count_tokens
from prodigon_lib.workshop.look import BLUE, FAINT, GREEN, GRID, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.table import Table

if TYPE_CHECKING:
    from prodigon_lib.client import AsyncClient

MAX_TOKENS = 56
IN_FLIGHT = 5


@dataclass(frozen=True)
class Seen:
    """One prompt. Seconds since all forty were at hand: when its first words came, and its last."""

    asked: float
    first: float
    last: float
    text: str


@dataclass(frozen=True)
class Way:
    """All prompts, in their order; `free` is when the one who asked could turn to other things."""

    name: str
    seen: Sequence[Seen]
    free: float

    @property
    def first(self) -> float:
        """Until the first words of any answer."""
        return min(each.first for each in self.seen)

    @property
    def last(self) -> float:
        """Until all is there."""
        return max(each.last for each in self.seen)

    @property
    def blank(self) -> float:
        """How long one who asked looks at nothing, on average."""
        return sum(each.first - each.asked for each in self.seen) / len(self.seen)

    @property
    def tokens(self) -> int:
        return sum(count_tokens(each.text) for each in self.seen)


async def real_time(client: "AsyncClient", prompts: Sequence[str]) -> Way:
    """Calls that each wait for a whole answer, five at a time."""
    began = time.perf_counter()

    async def ask(prompt: str) -> Seen:
        asked = time.perf_counter() - began
        answer = await client.generate(prompt, max_tokens=MAX_TOKENS)
        ended = time.perf_counter() - began
        return Seen(asked, ended, ended, answer.text)

    seen = await few_at_a_time(ask, prompts)
    return Way("real-time", seen, time.perf_counter() - began)


async def streamed(client: "AsyncClient", prompts: Sequence[str]) -> Way:
    """The same calls, token by token."""
    began = time.perf_counter()

    async def ask(prompt: str) -> Seen:
        asked = time.perf_counter() - began
        first, tokens = 0.0, []
        async for token in client.stream(prompt, max_tokens=MAX_TOKENS):
            first = first or time.perf_counter() - began
            tokens.append(token)
        return Seen(asked, first, time.perf_counter() - began, "".join(tokens))

    seen = await few_at_a_time(ask, prompts)
    return Way("streaming", seen, time.perf_counter() - began)


async def one_job(client: "AsyncClient", prompts: Sequence[str]) -> Way:
    """One job for all; the worker runs as many at once as it has places."""
    began = time.perf_counter()
    job = await client.submit_job(prompts, max_tokens=MAX_TOKENS)
    free = time.perf_counter() - began
    ended: dict[int, float] = {}
    async for view in job.events():
        now = time.perf_counter() - began
        ended |= {place: now for place, each in enumerate(view.results) if each and place not in ended}
    seen = [
        Seen(0.0, ended[place], ended[place], text)
        for place, text in enumerate(job.results)
        if text is not None
    ]
    return Way("one job", seen, free)


async def few_at_a_time(ask: Callable[[str], Awaitable[Seen]], prompts: Sequence[str]) -> list[Seen]:
    free = asyncio.Semaphore(IN_FLIGHT)

    async def in_turn(prompt: str) -> Seen:
        async with free:
            return await ask(prompt)

    return list(await asyncio.gather(*(in_turn(prompt) for prompt in prompts)))


def compared(ways: Sequence[Way]) -> Table:
    """The figures of each way, in seconds where nothing else is said."""
    rows: list[tuple[str, Callable[[Way], float]]] = [
        ("the one who asked is free after", lambda way: way.free),
        ("first words of any answer", lambda way: way.first),
        ("a blank screen for each answer, on average", lambda way: way.blank),
        ("all forty answers", lambda way: way.last),
        ("tokens a second, all together", lambda way: way.tokens / way.last),
    ]
    return Table(["figure", *(way.name for way in ways)], [(n, *(of(way) for way in ways)) for n, of in rows])


def what_users_see(ways: Sequence[Way]) -> Picture:
    """A line for each prompt: nothing asked yet, nothing to see yet, words that come, all there."""
    plot = Plot(height=1.2 + 1.5 * len(ways), rows=len(ways))
    end = max(way.last for way in ways) * 1.04
    for axes, way, colour in zip(plot.axes, ways, (BLUE, ORANGE, GREEN), strict=False):
        for row, each in enumerate(sorted(way.seen, key=lambda seen: (seen.asked, seen.last))):
            axes.hlines(row, each.asked, each.first, color=GRID, linewidth=2.4)
            axes.hlines(row, each.first, each.last, color=colour, linewidth=2.4)
            axes.plot(each.last, row, ".", color=colour, markersize=4.5)
        axes.axvline(way.last, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
        axes.set(yticks=[], ylabel=way.name, xlim=(0, end), ylim=(len(way.seen), -1))
        axes.grid(visible=False, axis="y")
    plot.axes[-1].set(xlabel="seconds since the forty prompts were at hand")
    plot.title("Grey: asked, and nothing to see. Colour: words are coming. Dot: all there")
    words = "; ".join(f"{w.name}: blank {w.blank:.2f} s on average, all after {w.last:.1f} s" for w in ways)
    return plot.finish(f"What the one who waits sees. {words}")
