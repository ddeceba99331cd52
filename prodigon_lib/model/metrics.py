"""Figures of the calls to providers; times in seconds."""

from prometheus_client import Counter, Gauge, Histogram

from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.request_figures import LATENCY_BUCKETS
from prodigon_lib.core.schemas.generate import Usage

UNKNOWN = "unknown"
"""The label of a name that no provider knows: names are callers' text, and each would be a new series."""


class ModelMetrics:
    """Counts beside the service's own, in the same registry."""

    def __init__(self, metrics: Metrics) -> None:
        self._common = metrics
        labels = ("provider", "model")
        registry = metrics.registry
        self.calls = Counter(
            "prodigon_model_calls_total",
            "Calls to providers, by outcome: ok, cancelled, or the error's code.",
            (*labels, "outcome"),
            registry=registry,
        )
        self.seconds = Histogram(
            "prodigon_model_call_seconds",
            "Time of a call to a provider, from first to last.",
            labels,
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.first_token = Histogram(
            "prodigon_model_first_token_seconds",
            "Time from a call to its first token; streams only.",
            labels,
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "prodigon_model_calls_in_flight", "Calls that run now.", ("provider",), registry=registry
        )
        self.cost = Counter(
            "prodigon_model_cost_dollars_total",
            "Price of the tokens, where it is known.",
            labels,
            registry=registry,
        )
        self.fallbacks = Counter(
            "prodigon_model_fallbacks_total",
            "Answers that the fallback model was asked for, by what the default failed with.",
            ("default", "fallback", "code"),
            registry=registry,
        )

    def count_tokens(self, model: str, usage: Usage) -> None:
        tokens = self._common.tokens
        tokens.labels(self._common.service, model, "prompt").inc(usage.prompt_tokens)
        tokens.labels(self._common.service, model, "completion").inc(usage.completion_tokens)
