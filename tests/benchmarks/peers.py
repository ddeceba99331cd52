"""Where the peers are, and what each of them does not do: a figure means little without that."""

import os
import shutil
import subprocess
from pathlib import Path

PEERS = "PRODIGON_BENCH_PEERS"
DEFAULT_FOLDER = "~/.cache/prodigon-bench"
ABSENT = "absent"

GATEWAY_NOTES = {
    "prodigon": "validates, request id, metrics, a JSON log line a request; spans not recorded",
    "prodigon, traced": "the same, and each span written to a file, as a stack on one machine does",
    "upstream": "the model server itself, no gateway",
    "nginx": "passes bytes; no validation, no request id, no metrics, access log off",
    "asgi-raw": "ceiling: parses JSON, forwards by a client of its own; no validation, log, metrics",
    "asgi-aiohttp": "ceiling: parses JSON, forwards by aiohttp; no validation, request id, log or metrics",
    "LiteLLM": "translates between providers, keys, budgets, which ours does not; log at ERROR",
}  # fmt: skip
QUEUE_NOTES = {
    "prodigon": "100 prompts a job, claims and completes 100 at once; leases, results, progress, events",
    "prodigon, 1 a job": "the same with one prompt a job: as many job rows as prompts",
    "prodigon, 1M done": "the same queue with 1,000,000 finished prompts in its table; measured once",
    "prodigon, worker": "the worker's own loop, 100 in flight, its model at once; a task and metrics each",
    "prodigon, redis": "in Redis Streams, appendfsync always; all in memory, users unchecked, one server",
    "asyncpg": "ceiling: bare SQL, claims and completes 100 at once; no job, result, retry or reaper",
    "pgqueuer": "batch 100; one row a job, no result kept, no progress over many prompts",
    "procrastinate": "concurrency 20; one row a job, no batch claim, no result kept",
}  # fmt: skip


def folder() -> Path:
    return Path(os.environ.get(PEERS) or DEFAULT_FOLDER).expanduser().resolve()


def nginx() -> str | None:
    return shutil.which("nginx")


def litellm() -> Path | None:
    return installed("litellm", "litellm")


def queues_python(package: str) -> Path | None:
    """The Python of the queues' environment, when that has `package`."""
    python = installed("queues", "python")
    if python is None or version(python, package) is None:
        return None
    return python


def installed(environment: str, program: str) -> Path | None:
    found = folder() / environment / "bin" / program
    return found if found.exists() else None


def version(python: Path | None, package: str) -> str | None:
    """Of a package in another environment; `None` when it is not there."""
    if python is None:
        return None
    asked = f"from importlib.metadata import version; print(version({package!r}))"
    said = subprocess.run([str(python), "-c", asked], capture_output=True, text=True)
    return said.stdout.strip() if said.returncode == 0 else None
