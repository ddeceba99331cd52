"""What a load measured."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prodigon_lib.workshop.histogram import USUAL, Histogram
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Answer


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. Times are in seconds since the load began.

    Args:
        meant: when it was to be sent.
        sent: when it was.
        ended: when its answer was there in full, or it failed.
        first: when its first token came.
    """

    number: int
    meant: float
    sent: float
    ended: float
    first: float | None
    answer: Answer

    @property
    def ok(self) -> bool:
        return not self.answer.error

    @property
    def service_time(self) -> float:
        """From sending: what the service can be blamed for, and all that a closed loop usually reports."""
        return self.ended - self.sent

    @property
    def response_time(self) -> float:
        """From when it was meant to be sent: what a person waits who came at that moment."""
        return self.ended - self.meant

    @property
    def first_token_time(self) -> float | None:
        return None if self.first is None else self.first - self.sent


@dataclass(frozen=True, repr=False)
class LoadResult:
    """All samples of one load, in order of their numbers; `seconds` is how long it took."""

    name: str
    samples: Sequence[Sample]
    seconds: float

    @property
    def answered(self) -> list[Sample]:
        """Those that did not fail; latencies are theirs alone, for a quick refusal is no quick answer."""
        return [sample for sample in self.samples if sample.ok]

    @property
    def throughput(self) -> float:
        """Requests answered a second."""
        return len(self.answered) / self.seconds if self.seconds else 0.0

    @property
    def errors(self) -> Counter[str]:
        """How many failed, by why."""
        return Counter(sample.answer.error for sample in self.samples if not sample.ok)

    def service_times(self) -> Histogram:
        """From sending to the end."""
        return self._histogram(lambda sample: sample.service_time)

    def response_times(self) -> Histogram:
        """From when each was meant to be sent to the end: free of coordinated omission."""
        return self._histogram(lambda sample: sample.response_time)

    def first_token_times(self) -> Histogram:
        """From sending to the first token; empty where nothing was streamed."""
        return self._histogram(lambda sample: sample.first_token_time)

    def _histogram(self, time_of: Callable[[Sample], float | None]) -> Histogram:
        times = (time_of(sample) for sample in self.answered)
        return Histogram(max(0.0, time) for time in times if time is not None)

    def table(self) -> Table:
        """The figures, one a row; times in milliseconds."""
        return Table(["figure", self.name], self._figures())

    def _figures(self) -> Iterator[tuple[str, object]]:
        yield "requests", len(self.samples)
        yield "failed", len(self.samples) - len(self.answered)
        yield from ((f"  {why}", count) for why, count in self.errors.most_common())
        yield "answered a second", self.throughput
        tokens = sum(sample.answer.tokens for sample in self.answered)
        if tokens:
            yield "tokens a second", tokens / self.seconds
            yield from percentile_rows("first token", self.first_token_times())
        yield from percentile_rows("from sending", self.service_times())
        late = max((sample.sent - sample.meant for sample in self.samples), default=0.0)
        if late > 0.001:
            yield from percentile_rows("from when meant", self.response_times())
            yield "sent late by, at most, ms", 1000 * late

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def percentile_table(histograms: Mapping[str, Histogram]) -> Table:
    """Several histograms beside each other, in milliseconds; empty ones are left out."""
    shown = {name: histogram for name, histogram in histograms.items() if histogram.count}
    rows: list[list[object]] = [["count", *(histogram.count for histogram in shown.values())]]
    rows += [[f"p{p:g}, ms", *(1000 * h.percentile(p) for h in shown.values())] for p in USUAL]
    rows.append(["most, ms", *(1000 * histogram.most for histogram in shown.values())])
    return Table(["latency", *shown], rows)


def percentile_rows(name: str, histogram: Histogram) -> Iterator[tuple[str, object]]:
    """Milliseconds."""
    if histogram.count:
        yield from ((f"{name}, p{p:g}, ms", 1000 * histogram.percentile(p)) for p in USUAL)
        yield f"{name}, most, ms", 1000 * histogram.most
