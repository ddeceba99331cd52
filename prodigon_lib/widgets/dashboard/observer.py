"""Looks at a whole system once: every process's health and figures."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import httpx

from prodigon_lib.client.credentials import auth_for
from prodigon_lib.core.errors import ProdigonError, StackError, Unauthenticated
from prodigon_lib.stack.environment import MONOLITH
from prodigon_lib.stack.probe import Health
from prodigon_lib.widgets.dashboard.figures import (
    IN_FLIGHT,
    LAG,
    OLDEST,
    PAUSED,
    QUEUE,
    RUNNING,
    Reading,
    gauge,
    read,
)
from prodigon_lib.widgets.dashboard.meter import Meter
from prodigon_lib.widgets.target import Target

ANSWER_SECONDS = 1.5
Point = dict[str, Any]


class Observer:
    """Of a stack: all its processes. Of a bare URL: the gateway, since no other address is known."""

    def __init__(self, target: Target) -> None:
        self._target = target
        # A gateway elsewhere shows its figures to an operator; a stack's are open to this machine.
        auth = auth_for(target.url, **target.credential) if target.stack is None else None
        self._http = httpx.AsyncClient(auth=auth, timeout=ANSWER_SECONDS, trust_env=False)
        self._meters: dict[str, Meter] = {}

    def begin(self) -> None:
        """Figures start anew: nobody has looked for a while."""
        self._meters.clear()

    async def look(self) -> Point:
        """A point of the plots: `at` in seconds since 1970, a row for each process, and the queue's depth."""
        urls = self._urls()
        rows, _ = await asyncio.gather(self._rows(), asyncio.gather(*map(self._read, set(urls.values()))))
        for row in rows:
            url = urls.get(row["name"]) or urls.get("gateway" if row["name"] == MONOLITH else "", "")
            row |= self._figures(url, None if row["name"] == MONOLITH else row["service"])
        return {"at": time.time(), "rows": rows, "queue": self._queue()}

    async def close(self) -> None:
        await self._http.aclose()

    def _urls(self) -> Mapping[str, str]:
        """Where each process answers HTTP."""
        stack = self._target.stack
        if stack is None:
            return {"gateway": self._target.url}
        return {name: url for name, url in stack.urls.items() if url.startswith("http")}

    async def _rows(self) -> Sequence[dict[str, Any]]:
        if self._target.stack is None:
            return [await self._bare_row()]
        try:
            status = await asyncio.to_thread(self._target.stack.status)
        except StackError as error:
            return [row_of("stack", "stack", Health.STOPPED, error.message)]
        return [
            row_of(part.name, part.service, part.health, part.remark, part.restarts, part.uptime)
            for part in status
        ]

    async def _bare_row(self) -> dict[str, Any]:
        try:
            address = f"{self._target.url}/health/ready"
            answer = await self._http.get(address, auth=None, timeout=2 * ANSWER_SECONDS)
            failing = answer.json().get("failing", {})
        except (httpx.HTTPError, ValueError, AttributeError):
            return row_of("gateway", "gateway", Health.SILENT, "no answer")
        reason = "; ".join(f"{name}: {why}" for name, why in failing.items())
        return row_of("gateway", "gateway", Health.UNHEALTHY if failing else Health.HEALTHY, reason)

    async def _read(self, url: str) -> None:
        meter = self._meters.setdefault(url, Meter())
        try:
            answer = await self._http.get(f"{url}/metrics")
            meter.take(read(answer.raise_for_status().text), time.monotonic())
        except Unauthenticated:  # to guess on every two seconds would lock the account
            self._http.auth = httpx.Auth()  # which adds nothing
            meter.missed()
        except (httpx.HTTPError, ValueError, ProdigonError):
            meter.missed()

    def _figures(self, url: str, service: str | None) -> dict[str, Any]:
        meter = self._meters.get(url)
        found = meter.figures(service) if meter is not None else None
        if meter is None or found is None:
            return {"figures": None}
        paused = gauge(meter.reading, PAUSED)
        in_flight = gauge(meter.reading, IN_FLIGHT, **({"service": service} if service else {}))
        return {
            "figures": {name: rounded(value) for name, value in asdict(found).items()},
            "in_flight": max(0, int(in_flight or 0) - 1),  # the one that asked for these figures
            "lag": rounded(gauge(meter.reading, LAG)),
            "running": gauge(meter.reading, RUNNING) if service in (None, "worker") else None,
            "held_back": bool(paused) if service in (None, "worker") else False,
        }

    def _queue(self) -> dict[str, float] | None:
        """Any worker's word: each says it of all of them."""
        for meter in self._meters.values():
            depth = queue_of(meter.reading)
            if depth is not None:
                return depth
        return None


def queue_of(reading: Reading) -> dict[str, float] | None:
    found = {status: gauge(reading, QUEUE, status=status) for status in ("ready", "delayed", "running")}
    found["oldest"] = gauge(reading, OLDEST)
    return {name: round(value, 2) for name, value in found.items() if value is not None} or None


def row_of(
    name: str, service: str, health: Health, reason: str, restarts: int = 0, uptime: float | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        "service": service,
        "health": health.value,
        "reason": reason,
        "restarts": restarts,
        "uptime": uptime,
    }


def rounded(value: float | None) -> float | None:
    """To four digits: a page gets the whole of the last minutes at once."""
    return None if value is None else float(f"{value:.4g}")
