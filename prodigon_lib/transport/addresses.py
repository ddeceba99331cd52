"""The addresses of one service: which is asked next, which is left alone, whether a call is repeated."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count

from prodigon_lib.core.deadline import remaining
from prodigon_lib.core.errors import ProdigonError, UpstreamUnavailable
from prodigon_lib.transport.breaker import Breaker
from prodigon_lib.transport.connections.faults import StaleConnection
from prodigon_lib.transport.metrics import UpstreamMetrics
from prodigon_lib.transport.retry_budget import RetryBudget


@dataclass(frozen=True, slots=True)
class Resilience:
    """What is done about a service that fails.

    Args:
        failures: in a row, until an address is left alone.
        rest: seconds until it is tried again, by one call.
        retry_percent: of the calls, how many may be tried again.
    """

    failures: int = 5
    rest: float = 1.0
    retry_percent: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    url: str
    breaker: Breaker

    def report(self, error: BaseException, answers: int, *, counts: bool = True) -> None:
        """What a call that failed says of the service. An answer shows that it works, whatever it says.

        Args:
            answers: the breaker's, when the call began.
            counts: it was a call for an answer. One that only asks whether the service lives says nothing
                while the breaker is closed; while it is half-open, it is as good as any other.
        """
        if isinstance(error, ProdigonError):
            self.breaker.succeeded()
        elif (not counts and not self.breaker.open) or isinstance(error, StaleConnection):
            self.breaker.abandoned()
        elif isinstance(error, TimeoutError) and remaining() == 0.0:
            self.breaker.abandoned()  # the caller's time was over, not ours
        elif isinstance(error, TimeoutError):
            self.breaker.timed_out(answers)
        elif isinstance(error, ConnectionError):
            self.breaker.failed()
        else:
            self.breaker.abandoned()


class Addresses:
    """Args: `name` of the service, for messages and metrics."""

    def __init__(
        self, name: str, urls: tuple[str, ...], resilience: Resilience, metrics: UpstreamMetrics | None
    ) -> None:
        self.name = name
        self._metrics = metrics
        self._budget = RetryBudget(resilience.retry_percent)
        self._all = [Address(url, Breaker(resilience.failures, resilience.rest)) for url in urls]
        self._turn = count()
        if metrics is not None:
            for each in self._all:
                metrics.circuit.labels(name, each.url).set_function(partial(getattr, each.breaker, "open"))

    def admitted(self) -> Iterator[Address]:
        """Each once, in turn, but those that are left alone."""
        first = next(self._turn)
        for offset in range(len(self._all)):
            found = self._all[(first + offset) % len(self._all)]
            if found.breaker.admits():
                yield found

    def called(self) -> None:
        self._budget.earn()

    def may_retry(self, error: BaseException) -> bool:
        """Whether a call may be tried again: its connection broke, and few others were lately.

        One that was stale is no sign of a load that must not be doubled, and takes nothing of the budget.
        """
        if isinstance(error, StaleConnection):
            self._count()
            return True
        broke = isinstance(error, ConnectionError) and not isinstance(error, TimeoutError)
        return broke and self.may_repeat()

    def may_repeat(self) -> bool:
        """Whether the budget allows one more; if so, it is taken."""
        if not self._budget.take():
            return False
        self._count()
        return True

    def _count(self) -> None:
        if self._metrics is not None:
            self._metrics.retries.labels(self.name).inc()

    def away(self) -> UpstreamUnavailable:
        """Why none of them could be asked."""
        if not all(each.breaker.open for each in self._all):
            return UpstreamUnavailable(f"the {self.name} service is away", retry_after=1)
        if self._metrics is not None:
            self._metrics.held_back.labels(self.name).inc()
        rest = min(each.breaker.seconds_left() for each in self._all)
        return UpstreamUnavailable(
            f"the {self.name} service is away: it failed again and again, and is left alone for a while",
            retry_after=max(1.0, rest),
        )
