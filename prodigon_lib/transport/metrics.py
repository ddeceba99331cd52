"""What a service counts of its calls to others."""

from prometheus_client import Counter, Gauge

from prodigon_lib.core.metrics import Metrics


class UpstreamMetrics:
    """In the registry of the service that calls; one for all its clients."""

    def __init__(self, metrics: Metrics) -> None:
        self.circuit = Gauge(
            "prodigon_upstream_circuit_open",
            "1 while calls to the address are held back, since it failed several times in a row; else 0.",
            ("upstream", "address"),
            registry=metrics.registry,
        )
        self.held_back = Counter(
            "prodigon_upstream_held_back_total",
            "Calls refused here, without a try, as every address was left alone.",
            ("upstream",),
            registry=metrics.registry,
        )
        self.retries = Counter(
            "prodigon_upstream_retries_total",
            "Calls tried again after their connection broke before an answer.",
            ("upstream",),
            registry=metrics.registry,
        )
