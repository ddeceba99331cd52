"""Asks a service on loopback how it is. A plain request over a plain socket: the supervisor stays small."""

import asyncio
import contextlib
import json
from enum import StrEnum
from typing import Any

from prodigon_lib.stack.ports import HOST

PROBE_SECONDS = 3.0
"""Longer than a service gives each of its own checks."""


class Health(StrEnum):
    """How a part of the stack is."""

    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    """It answers, and says that something it needs is away."""
    SILENT = "silent"
    """It runs and does not answer: it is paused, stuck, or too busy."""
    STOPPED = "stopped"


async def get(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a GET.

    Raises:
        OSError: nobody listens, or the connection broke.
    """
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionError("no answer")
    return int(words[1]), body


async def health(port: int) -> tuple[Health, str]:
    """What `/health/ready` says, and why when it is not healthy."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            status, body = await get(port, "/health/ready")
    except TimeoutError:
        return Health.SILENT, f"no answer in {PROBE_SECONDS:g} s"
    except OSError as error:
        return Health.SILENT, error.strerror or "no answer"
    return (Health.HEALTHY, "") if status == 200 else (Health.UNHEALTHY, reason(body, status))


def reason(body: bytes, status: int) -> str:
    try:
        document: Any = json.loads(body)
    except ValueError:
        document = None
    failing = document.get("failing") if isinstance(document, dict) else None
    if not isinstance(failing, dict) or not failing:
        return f"answered {status}"
    return "; ".join(f"{name}: {why}" for name, why in failing.items())
