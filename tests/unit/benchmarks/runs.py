"""Runs as the benchmarks record them, with figures that are easy to work with in the head."""

from typing import Any

Run = dict[str, Any]


def json_run(target: str, in_flight: int, rate: float, *, round_: int = 0, failed: int = 0) -> Run:
    return {
        "target": target,
        "load": f"json-{in_flight}",
        "round": round_,
        "rps": rate,
        "gateway_cpu": 0.5,
        "failed": failed,
    }


def gateway_runs(*, ours: float, bare: float) -> list[Run]:
    """One round of JSON, `ours` and `bare` completions a second at each load."""
    return [
        json_run(target, in_flight, rate)
        for target, rate in (("prodigon", ours), ("asgi-aiohttp", bare))
        for in_flight in (1, 16, 64)
    ]


def queue_run(system: str, kind: str, **figures: Any) -> Run:
    return {"system": system, "kind": kind, "round": 0, **figures}


def queue_runs(*, ours: float, peer: float) -> list[Run]:
    runs = [queue_run("pgqueuer", "enqueue", bulk=100.0), queue_run("prodigon", "enqueue", bulk=300.0)]
    for workers in (1, 4):
        for system, rate in (("prodigon", ours), ("pgqueuer", peer), ("asyncpg", 1000.0)):
            runs.append(queue_run(system, "drain", workers=workers, rate=rate, missed=0))
    return [*runs, queue_run("prodigon", "pick-up", p50_ms=3.0, p99_ms=9.0)]


def stack_runs(*, first_token: float, before: float, after: float) -> list[Run]:
    services = ("gateway", "model", "worker")
    return [
        {"kind": "start", "round": 0, "import_s": 0.1, "start_s": 1.0, "first_token_s": first_token},
        {"kind": "attach", "round": 0, "import_s": 0.1, "start_s": 0.1},
        {"kind": "memory", "round": 0, **dict.fromkeys(("rss_mb", "pss_mb"), dict.fromkeys(services, 90.0))},
        {
            "kind": "streams",
            "streams": 1000,
            "failed": 0,
            **{f"{name}_mb": [before, after] for name in services},
        },
    ]
