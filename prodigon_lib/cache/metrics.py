"""What a service counts of its cache."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge

from prodigon_lib.cache.memory import MemoryStore
from prodigon_lib.cache.responses import Outcome
from prodigon_lib.core.metrics import Metrics


class CacheMetrics:
    """The hit ratio is hits, with what was joined where a model call is what counts, by all answers."""

    def __init__(self, metrics: Metrics) -> None:
        self._registry = metrics.registry
        answers = Counter(
            "prodigon_cache_answers_total",
            "Answers by where they came from: hit, miss, joined (a call that ran already), refreshed "
            "(no stored answer was wanted), bypassed (the cache has no part in it).",
            ("outcome",),
            registry=metrics.registry,
        )
        self._answers = {outcome: answers.labels(outcome.value) for outcome in Outcome}
        self._errors = Counter(
            "prodigon_cache_errors_total",
            "Calls to the store that failed; the requests behind them went on without it.",
            registry=metrics.registry,
        )

    def answered(self, outcome: Outcome) -> None:
        self._answers[outcome].inc()

    def failed(self) -> None:
        self._errors.inc()

    def watch(self, store: MemoryStore) -> None:
        """Asked for when the metrics are."""
        self._gauge("prodigon_cache_entries", "Answers that are kept.", lambda: len(store))
        self._gauge("prodigon_cache_bytes", "What they take up, about.", lambda: store.used)
        self._gauge(
            "prodigon_cache_evicted", "Answers that made room for others, so far.", lambda: store.evicted
        )

    def watch_away(self, away: Callable[[], bool]) -> None:
        text = "1 while the store is left alone, since it failed several times in a row; else 0."
        self._gauge("prodigon_cache_away", text, away)

    def _gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        Gauge(name, text, registry=self._registry).set_function(value)
