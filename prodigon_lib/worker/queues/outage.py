"""Says once that what keeps the queue is away, and once that it is back, however many calls find out."""

from typing import Any

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.logging import get_logger

logger = get_logger("queue", service="worker")


class Outage:
    """Of one store, as one process sees it.

    Args:
        store: its name in a sentence.
        address: what the log lines say of where it is, without a password.
    """

    def __init__(self, store: str, **address: Any) -> None:
        self._store, self._address = store, address
        self._away = False
        self._faults = 0

    def began(self) -> int:
        """What `over` wants to hear from a call that begins now."""
        return self._faults

    def found(self, problem: ProdigonError) -> None:
        """A call failed."""
        self._faults += 1
        if not self._away:
            logger.warning(f"the queue's {self._store} is away", reason=problem.message, **self._address)
        self._away = True

    def over(self, began: int) -> None:
        """A call succeeded. Where another failed since it began, its success says nothing: a server that goes
        down ends its connections one after another."""
        if self._away and began == self._faults:
            logger.info(f"the queue's {self._store} is back", **self._address)
            self._away = False
