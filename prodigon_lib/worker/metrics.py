"""What the worker counts, beside what every service does. Times are in seconds."""

from collections.abc import Mapping

from prometheus_client import Counter, Gauge, Histogram

from prodigon_lib.core.ids import JobId
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.request_figures import LATENCY_BUCKETS
from prodigon_lib.core.schemas.jobs import JobStatus
from prodigon_lib.worker.queues.base import Depth


class WorkerMetrics:
    """Registered with the service's own, so that `/metrics` has both."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self.queue = Gauge(
            "prodigon_queue_prompts", "Prompts in the queue, of all workers.", ("status",), registry=registry
        )
        self.oldest = Gauge(
            "prodigon_queue_oldest_seconds",
            "How long the prompt that waits longest has been ready.",
            registry=registry,
        )
        self.jobs = Counter("prodigon_jobs_total", "Jobs that ended here.", ("status",), registry=registry)
        self.enqueued = Counter("prodigon_jobs_enqueued_total", "Jobs taken in here.", registry=registry)
        self.prompts = Counter(
            "prodigon_prompts_total",
            "What became of the prompts claimed here; `lost` are those whose lease was gone.",
            ("outcome",),
            registry=registry,
        )
        self.reaped = Counter(
            "prodigon_prompts_reaped_total", "Prompts taken back from workers that died.", registry=registry
        )
        self.pruned = Counter(
            "prodigon_jobs_pruned_total", "Finished jobs deleted, as their time was over.", registry=registry
        )
        self.seconds = Histogram(
            "prodigon_prompt_seconds", "Time to run a prompt.", buckets=LATENCY_BUCKETS, registry=registry
        )
        self.attempts = Histogram(
            "prodigon_prompt_attempts",
            "Claims that a prompt needed until it ended.",
            buckets=(1, 2, 3, 4, 5, 6, 8, 10, 20),
            registry=registry,
        )
        self.running = Gauge("prodigon_prompts_running", "Prompts running here now.", registry=registry)
        self.allowed = Gauge(
            "prodigon_prompts_allowed",
            "How many may run here at once: WORKER_CONCURRENCY, fewer after the model said 429.",
            registry=registry,
        )
        self.paused = Gauge(
            "prodigon_worker_paused", "1 while the model refuses everybody, else 0.", registry=registry
        )
        self.connections = Gauge(
            "prodigon_database_connections", "Of the queue's pool.", ("state",), registry=registry
        )

    def depth(self, depth: Depth) -> None:
        for status in ("ready", "delayed", "running"):
            self.queue.labels(status).set(getattr(depth, status))
        self.oldest.set(depth.oldest)

    def finished(self, jobs: Mapping[JobId, JobStatus]) -> None:
        for status in jobs.values():
            self.jobs.labels(status.value).inc()

    def pool(self, size: int, in_use: int) -> None:
        self.connections.labels("open").set(size)
        self.connections.labels("in_use").set(in_use)
