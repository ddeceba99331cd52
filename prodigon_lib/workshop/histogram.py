"""Latencies in buckets that grow geometrically: small, exact enough, and mergeable.

Percentiles can't be averaged: the p99 of two services is not the mean of their p99s. Histograms with the same
buckets can be added, and percentiles taken from the sum; that is why monitoring keeps them.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

LEAST = 1e-6
"""Seconds; what is shorter counts into the first bucket."""
PRECISION = 0.01
USUAL = (50.0, 90.0, 99.0, 99.9)


class Histogram:
    """Times in seconds, each known to `precision` (a fraction: 0.01 is one percent).

    A bucket's upper edge is a fixed factor above its lower one, so that a millisecond and a minute are kept
    with the same relative error, in some hundred counters.
    """

    def __init__(self, values: Iterable[float] = (), *, precision: float = PRECISION) -> None:
        if not 0 < precision < 1:
            raise ValueError("precision is a fraction between 0 and 1")
        self.precision = precision
        # A value lies within `precision` of the middle of its bucket when the edges are this far apart.
        self._growth = math.log((1 + precision) / (1 - precision))
        self._counts: Counter[int] = Counter()
        self.count, self.total = 0, 0.0
        self.least, self.most = math.inf, 0.0
        for value in values:
            self.record(value)

    def record(self, seconds: float, count: int = 1) -> None:
        """Count a time.

        Raises:
            ValueError: it is negative, or no number.
        """
        if not seconds >= 0 or math.isinf(seconds):
            raise ValueError(f"not a time: {seconds}")
        self._counts[self._bucket(seconds)] += count
        self.count += count
        self.total += seconds * count
        self.least, self.most = min(self.least, seconds), max(self.most, seconds)

    def record_corrected(self, seconds: float, interval: float) -> None:
        """Count a time, and with it those of the requests that were never sent while it was waited for.

        A client that means to send every `interval` seconds and waits for each answer leaves out the very
        requests that a stall would have hit. They would have waited one interval less, each.
        """
        self.record(seconds)
        missing = seconds - interval
        while interval > 0 and missing >= interval:
            self.record(missing)
            missing -= interval

    def percentile(self, percent: float) -> float:
        """A time that `percent` of all are not above, to within the precision.

        Raises:
            ValueError: nothing was counted, or `percent` is not within 0 and 100.
        """
        if not self.count or not 0 <= percent <= 100:
            raise ValueError("no percentile of nothing" if not self.count else f"{percent} is no percentage")
        wanted, seen = max(1, math.ceil(self.count * percent / 100)), 0
        if wanted == self.count:
            return self.most
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(max(self._middle(bucket), self.least), self.most)
        return self.most

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    def merge(self, other: "Histogram") -> None:
        """Add another's counts to these.

        Raises:
            ValueError: its buckets are others.
        """
        if other.precision != self.precision:
            raise ValueError(f"precision {other.precision} does not fit {self.precision}")
        self._counts.update(other._counts)
        self.count += other.count
        self.total += other.total
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)

    def __add__(self, other: "Histogram") -> "Histogram":
        both = Histogram(precision=self.precision)
        both.merge(self)
        both.merge(other)
        return both

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def steps(self) -> Iterator[tuple[float, float]]:
        """For a plot: in order, a time and the fraction of all that are not above it."""
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            yield min(max(self._middle(bucket), self.least), self.most), seen / self.count

    def to_dict(self) -> dict[str, Any]:
        """For JSON: from a process to the one that merges."""
        counts = {str(bucket): count for bucket, count in sorted(self._counts.items())}
        least = self.least if self.count else None
        return {
            "precision": self.precision,
            "total": self.total,
            "least": least,
            "most": self.most,
            "counts": counts,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """From `to_dict()`."""
        histogram = cls(precision=document["precision"])
        histogram._counts.update({int(bucket): count for bucket, count in document["counts"].items()})
        histogram.count, histogram.total = histogram._counts.total(), document["total"]
        histogram.least = math.inf if document["least"] is None else document["least"]
        histogram.most = document["most"]
        return histogram

    def __repr__(self) -> str:
        if not self.count:
            return "Histogram of nothing"
        shares = ", ".join(f"p{percent:g} {1000 * self.percentile(percent):.3g} ms" for percent in USUAL)
        return f"Histogram of {self.count}: {shares}, most {1000 * self.most:.3g} ms"

    def _bucket(self, seconds: float) -> int:
        return 0 if seconds <= LEAST else 1 + int(math.log(seconds / LEAST) / self._growth)

    def _middle(self, bucket: int) -> float:
        if bucket == 0:
            return LEAST
        low = LEAST * math.exp((bucket - 1) * self._growth)
        return low * (1 + math.exp(self._growth)) / 2
