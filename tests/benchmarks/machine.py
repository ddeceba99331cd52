"""What a figure was measured on: the machine, and the version of everything that took part."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from prodigon_lib.stack.postgres import find_binaries
from tests.benchmarks import peers

PACKAGES = "prodigon fastapi starlette uvicorn uvloop httptools aiohttp orjson pydantic asyncpg".split()


def machine() -> dict[str, Any]:
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "load_before": [round(value, 2) for value in os.getloadavg()],
    }


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    queues = peers.installed("queues", "python")
    found = {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "postgres": said_by(str(find_binaries() / "postgres"), "--version").rpartition(" ")[2],
        "nginx": said_by(nginx, "-v").rpartition("/")[2] if (nginx := peers.nginx()) else peers.ABSENT,
        "litellm": peers.version(peers.installed("litellm", "python"), "litellm") or peers.ABSENT,
    }
    return found | {
        name: peers.version(queues, name) or peers.ABSENT for name in ("pgqueuer", "procrastinate")
    }


def said_by(*command: str) -> str:
    said = subprocess.run(command, capture_output=True, text=True)
    return (said.stdout + said.stderr).strip()


def in_words(facts: Mapping[str, Any], named: Mapping[str, str]) -> str:
    """For the reader of a table; without what differs from run to run."""
    where = f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']:g} GB, {facts['system']}"
    used = ", ".join(f"{name} {number}" for name, number in named.items())
    return f"Measured on {where}. {used}."
