"""A look at the figures of a service, as Prometheus takes it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

SECONDS = 10.0
AGAIN = 0.05


@dataclass(frozen=True, repr=False)
class Scrape:
    """All samples of one moment; `at` is by `time.perf_counter()`."""

    at: float
    samples: Sequence[Sample]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels, whatever others they have."""
        wanted = labels.items()
        return sum(s.value for s in self.samples if s.name == name and wanted <= s.labels.items())

    def __repr__(self) -> str:
        return f"Scrape({len(self.samples)} samples)"


async def scrape(url: str, session: aiohttp.ClientSession | None = None) -> Scrape:
    """`GET /metrics` of the service at `url`."""
    if session is None:
        async with aiohttp.ClientSession() as own:
            return await scrape(url, own)
    async with asyncio.timeout(SECONDS), session.get(f"{url}/metrics") as answer:
        answer.raise_for_status()
        text = await answer.text()
    families = text_string_to_metric_families(text)
    return Scrape(time.perf_counter(), [sample for family in families for sample in family.samples])


async def in_flight(url: str, *, within: float = 0.0) -> int:
    """Requests that a service works on, but for this look; looks again until there is none, for so long."""
    end = time.monotonic() + within
    async with aiohttp.ClientSession() as session:
        while True:
            figures = await scrape(url, session)
            count = int(figures.value("prodigon_http_requests_in_flight")) - 1
            if count <= 0 or time.monotonic() > end:
                return count
            await asyncio.sleep(AGAIN)
