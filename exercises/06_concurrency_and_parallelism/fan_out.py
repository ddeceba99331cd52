"""Exercise 6.1: ask for many things at once, and never for too many.

`fan_out` calls `call(item)` for each item and gives the results in the order of the items. Done when

- never more than `limit` calls are under way, and a place that is free is used at once: a slow call holds up
  nobody but itself;
- with `errors="keep"`, what a call raised stands in the place of its result, and the others go on;
- with `errors="raise"`, the first error is raised as it is; by then what was under way has been cancelled and
  has ended, and nothing more is called;
- whoever cancels `fan_out` ends it just so. Whatever happens, no task is left behind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal

Call = Callable[[Any], Awaitable[Any]]


async def fan_out(
    call: Call, items: Iterable[Any], *, limit: int, errors: Literal["raise", "keep"] = "raise"
) -> list[Any]:
    """The results, in the order of the items."""
    waiting = list(enumerate(items))
    results: list[Any] = [None] * len(waiting)
    numbered = iter(waiting)

    async def work() -> None:
        """Take one item after the other, until there are none."""
        # TODO One of `limit` workers: where does a result go, and where an error?
        for place, item in numbered:
            results[place] = await call(item)

    # TODO Start the workers; see to it that none outlives this call, and raise what the first one raised.
    await asyncio.gather(*(work() for _ in range(limit)))
    return results
