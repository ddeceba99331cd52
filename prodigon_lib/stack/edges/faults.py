"""What can be wrong with a connection: the settings of one edge."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Self

from prodigon_lib.core.errors import StackError

LONGEST_DELAY = 600.0


@dataclass(frozen=True, slots=True)
class EdgeFaults:
    """The defaults do no harm. Each holds for connections that are open already, too.

    Raises:
        StackError: a value is out of range; the message names the setting.
    """

    latency: float = 0.0
    """Seconds added to a round trip, half of them on each way."""

    jitter: float = 0.0
    """Up to so many seconds more on a round trip, drawn anew for each piece of data. Nothing overtakes."""

    drop: float = 0.0
    """The share of requests, from 0 to 1, on which the connection is reset before the request has passed."""

    refuse: bool = False
    """Nobody listens: new connections are refused, those that are open are reset."""

    cut_after: int | None = None
    """Bytes of answers after which a connection is reset; 0 resets each at once."""

    black_hole: bool = False
    """Connections are taken, and nothing passes either way, no closing either. What was sent meanwhile
    passes when this ends.
    """

    bandwidth: float | None = None
    """Bytes a second, on each way of each connection."""

    seed: int = 0
    """Of `jitter` and `drop`. The n-th connection since the faults were set draws the same in each run."""

    def __post_init__(self) -> None:
        check_number("latency", self.latency, 0.0, LONGEST_DELAY)
        check_number("jitter", self.jitter, 0.0, LONGEST_DELAY)
        check_number("drop", self.drop, 0.0, 1.0)
        for name in ("refuse", "black_hole"):
            if not isinstance(getattr(self, name), bool):
                raise StackError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if self.cut_after is not None:
            check_whole("cut_after", self.cut_after)
        if self.bandwidth is not None:
            check_number("bandwidth", self.bandwidth, 1.0, math.inf)
        check_whole("seed", self.seed)

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """The same with some of them set. Raises StackError, also for a name that there is none of."""
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                close = get_close_matches(name, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
                raise StackError(f"an edge has no fault {name!r}; {hint}")
        return replace(self, **changes)

    def harm(self) -> dict[str, Any]:
        """What differs from the defaults."""
        harmless = asdict(EdgeFaults())
        return {name: value for name, value in asdict(self).items() if value != harmless[name]}


def check_number(name: str, value: object, least: float, most: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value <= most:  # type: ignore[operator]
        above = f" to {most:g}" if math.isfinite(most) else " up"
        raise StackError(f"{name} must be a number from {least:g}{above}, not {value!r}")


def check_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise StackError(f"{name} must be a whole number from 0 up, not {value!r}")
