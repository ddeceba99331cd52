"""A budget per request, in counts: a busy machine can't change them, so a test may hold a build to them.

budget = Budget({"queries": 4, "calls": 8_000, "files opened": 0})
budget.hold(await spent(lambda: answer(question), engine))
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from prodigon_lib.workshop.checks.counters import count_queries
from prodigon_lib.workshop.profilers import traced
from prodigon_lib.workshop.table import Table


class OverBudget(AssertionError):
    """A request spends more than it may. The message names each figure, what was spent, and the limit."""


@dataclass(frozen=True)
class Budget:
    """The most that one request may spend of each thing; what is not named has no limit."""

    limits: Mapping[str, int]

    def over(self, spent: Mapping[str, int]) -> dict[str, int]:
        """What was overspent, and how much was spent of it.

        Raises:
            KeyError: something that has a limit was not measured.
        """
        return {name: spent[name] for name, limit in self.limits.items() if spent[name] > limit}

    def hold(self, spent: Mapping[str, int]) -> None:
        """Raises `OverBudget` where there is too much of something."""
        over = self.over(spent)
        if over:
            said = (f"{name}: {count:,} spent, {self.limits[name]:,} allowed" for name, count in over.items())
            raise OverBudget("; ".join(said))

    def table(self, spent: Mapping[str, int]) -> Table:
        rows = [
            (name, f"{spent[name]:,}", f"{limit:,}", "over" if spent[name] > limit else "within")
            for name, limit in self.limits.items()
        ]
        return Table(["per request", "spent", "allowed", ""], rows)


async def spent(work: Callable[[], Awaitable[object]], engine: AsyncEngine) -> dict[str, int]:
    """What one run of `work` spends: queries, function calls (C included), files opened, JSON parsed.

    It runs once before, so that what is made only once is not counted.
    """
    await work()
    with count_queries(engine) as queries, traced() as calls:
        await work()
    return {
        "queries": len(queries),
        "calls": calls.calls,
        "files opened": calls.count("open"),
        "JSON parsed": calls.count("loads"),
    }
