"""What a cache is worth for requests that repeat, and what happens when a hot answer expires."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from statistics import mean
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from prodigon_lib.model.providers.simulated.profiles import PROFILES, ProfileName
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.look import BLUE, FAINT, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Answer

if TYPE_CHECKING:
    from prodigon_lib.stack import Stack

MAX_TOKENS = 24
CALLS = "prodigon_model_calls_total"


@dataclass(frozen=True)
class ZipfRun:
    """One run. Times are in seconds; `cost` in dollars for a million such requests, by the list price."""

    skew: float
    cached: bool
    requests: int
    hits: int
    calls: int
    mean: float
    p99: float
    cost: float

    @property
    def hit_ratio(self) -> float:
        """Of all requests, those that no call of the model's own was made for."""
        return 1 - self.calls / self.requests


async def zipf(
    stack: "Stack",
    *,
    skew: float = 1.0,
    prompts: int = 150,
    requests: int = 300,
    in_flight: int = 16,
    seed: int = 8,
    cached: bool = True,
) -> ZipfRun:
    """Ask the gateway as people do: a few things often, most things once.

    Args:
        skew: the exponent: prompt number n is asked for as often as n to the power of minus `skew`; 0 asks
            for all alike.
        prompts: to choose from, new ones in each run.
        cached: otherwise each request says `Cache-Control: no-store`.
    """
    run, chance = uuid4().hex[:8], Random(seed)
    weights = list(accumulate(number**-skew for number in range(1, prompts + 1)))
    asked = chance.choices(range(prompts), cum_weights=weights, k=requests)
    headers = {} if cached else {"Cache-Control": "no-store"}
    hits, spent = 0, 0.0
    before = await model_calls(stack)
    async with aiohttp.ClientSession(stack.url, headers=headers) as session:

        async def ask(number: int) -> Answer | None:
            nonlocal hits, spent
            document, status = await ask_once(session, f"({run}) Explain idea {asked[number]}.")
            hits += "hit" in status
            if "hit" not in status and "collapsed" not in status:
                spent += price_of(document["usage"])
            return None

        load = await closed_loop(ask, in_flight=in_flight, count=requests)
    times = load.service_times()
    return ZipfRun(
        skew=skew,
        cached=cached,
        requests=requests,
        hits=hits,
        calls=await model_calls(stack) - before,
        mean=mean(sample.service_time for sample in load.answered),
        p99=times.percentile(99),
        cost=1e6 * spent / requests,
    )


async def ask_once(session: aiohttp.ClientSession, prompt: str) -> tuple[dict[str, Any], str]:
    """The answer, and what it says of the cache."""
    body = {"prompt": prompt, "temperature": 0, "max_tokens": MAX_TOKENS}
    async with session.post("/api/v1/generate", json=body) as response:
        response.raise_for_status()
        return await response.json(), response.headers.get("Cache-Status", "")


def price_of(usage: Mapping[str, int]) -> float:
    """Dollars; list prices are for a million tokens."""
    price = PROFILES[ProfileName.SMALL].price
    tokens = usage["prompt_tokens"] * price.prompt + usage["completion_tokens"] * price.completion
    return tokens / 1e6


async def model_calls(stack: "Stack") -> int:
    """Calls that all models of the stack have made so far, by their own count."""
    urls = [url for name, url in stack.urls.items() if name.startswith("model") and url.startswith("http")]
    async with aiohttp.ClientSession() as session:
        return sum(await asyncio.gather(*(calls_of(session, url) for url in urls)))


async def calls_of(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(f"{url}/metrics") as response:
        lines = [line for line in (await response.text()).splitlines() if line.startswith(CALLS)]
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    return int(sum(sample.value for family in families for sample in family.samples))


def zipf_table(runs: Sequence[ZipfRun]) -> Table:
    """A row for each run; times in milliseconds."""
    names = ["skew", "cache", "hit ratio", "model calls", "mean, ms", "p99, ms", "$ per million"]
    return Table(
        names,
        [
            (run.skew, "on" if run.cached else "off", run.hit_ratio, run.calls, 1000 * run.mean,
             1000 * run.p99, run.cost)
            for run in runs
        ],
    )  # fmt: skip


def plot_zipf(runs: Sequence[ZipfRun]) -> Picture:
    """Mean latency and cost over the hit ratio, each as a share of what the run without a hit has.

    Raises:
        ValueError: there are not two runs to compare.
    """
    if len(runs) < 2:
        raise ValueError("two runs or more, to compare")
    ordered = sorted(runs, key=lambda run: run.hit_ratio)
    ratios = [run.hit_ratio for run in ordered]
    plot = Plot(height=3.4)
    (axes,) = plot.axes
    for name, colour, figures in (
        ("mean latency", BLUE, [run.mean for run in ordered]),
        ("cost", ORANGE, [run.cost for run in ordered]),
    ):
        shares = [figure / figures[0] for figure in figures]
        axes.plot(ratios, shares, color=colour, marker="o", markersize=5, linewidth=1.8, label=name)
    axes.plot([0, 1], [1, 0], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), label="1 less the hit ratio")
    for run in ordered:
        text = f"skew {run.skew:g}" if run.cached else "no cache"
        top = max(run.mean / ordered[0].mean, run.cost / ordered[0].cost) + 0.04
        axes.text(run.hit_ratio, top, text, fontsize=8.5, color=FAINT, rotation=90, ha="center")
    axes.set(xlabel="hit ratio", ylabel="share of the first run's", xlim=(-0.03, 1), ylim=(0, 1.4))
    axes.legend()
    plot.title("What repeats costs once")
    words = "; ".join(f"hit ratio {r.hit_ratio:.2f}: {1000 * r.mean:.0f} ms, {r.cost:.2f} $" for r in ordered)
    return plot.finish(f"Latency and cost by hit ratio. {words}")


class Cache(Protocol):
    def respond(self, key: str, fetch: Callable[[], Awaitable[bytes]]) -> Awaitable[Any]:
        """The answer of that key, from `fetch` where it is not kept."""


@dataclass(frozen=True)
class Stampede:
    """What `waiting` callers who came at once were worth to the model. `seconds` until all had answers."""

    waiting: int
    calls: int
    answered: int
    seconds: float


async def hot_key(cache: Cache, stack: "Stack", *, waiting: int = 100, expires: float = 0.5) -> Stampede:
    """Have an answer kept, let it expire, then ask for it `waiting` times at once.

    Args:
        expires: seconds until it surely has.
    """
    key = uuid4().hex
    connector = aiohttp.TCPConnector(limit=waiting)
    # The gateway's own cache is left out: the one that is looked at stands in this process.
    headers = {"Cache-Control": "no-store"}
    async with aiohttp.ClientSession(stack.url, headers=headers, connector=connector) as session:

        async def fetch() -> bytes:
            document, _ = await ask_once(session, f"({key}) Explain a cache stampede.")
            return str(document["text"]).encode()

        await cache.respond(key, fetch)
        await asyncio.sleep(expires)
        before, began = await model_calls(stack), time.perf_counter()
        answers = await asyncio.gather(*(cache.respond(key, fetch) for _ in range(waiting)))
        seconds = time.perf_counter() - began
        return Stampede(waiting, await model_calls(stack) - before, len(answers), seconds)
