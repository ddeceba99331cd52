"""Services on hosts of their own, started as a deployment without containers does."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.dockerfiles import ROOT
from tests.integration.chaos.aftermath import metric
from tests.integration.services.hosts import Host, Network
from tests.integration.services.servers import Database
from tests.polling import eventually

PORTS = {"gateway": 8000, "model": 8001, "worker": 8002}
REQUESTS, INFERENCE = "prodigon_http_requests_total", "/inference"
SLOW_START = 60.0


@dataclass
class Service:
    host: Host
    url: str
    log: Path


@dataclass
class Site:
    net: Network
    database: Database
    logs: Path

    async def start(self, service: str, host: Host, **settings: object) -> Service:
        """As a deployment without containers does; returns when it is healthy."""
        port = PORTS[service]
        log = self.logs / f"{host.name}-{service}.log"
        command = [sys.executable, "-m", "uvicorn", f"services.{service}.main:app", "--host", "0.0.0.0"]
        command += ["--port", str(port), "--no-access-log", "--timeout-graceful-shutdown", "10"]
        host.start(command, self.environment(settings), ROOT, log)
        made = Service(host, f"http://{host.address}:{port}", log)
        await eventually(lambda: answers(made.url), within=SLOW_START, every=0.1)
        return made

    def environment(self, settings: Mapping[str, object]) -> dict[str, str]:
        # What is tested here are lines between hosts: in production each call would need a login as well.
        ours = {"ENVIRONMENT": "test", "DATABASE_URL": self.database.url, "USE_MOCK": "true"}
        ours |= {"TRUSTED_HOSTS": "*", "PRODIGON_ENV_FILE": "", "PATH": os.environ["PATH"]}
        return ours | {name.upper(): str(value) for name, value in settings.items()}


async def together(starts: Iterable[Awaitable[Service]]) -> list[Service]:
    return list(await asyncio.gather(*starts))


async def answers(url: str) -> bool:
    with suppress(aiohttp.ClientError, TimeoutError):
        return await fetched(f"{url}/health/live") is not None
    return False


async def figure(service: Service, name: str, **labels: str) -> float:
    return metric(await fetched(f"{service.url}/metrics"), name, **labels)


async def fetched(url: str) -> str:
    timeout = aiohttp.ClientTimeout(total=10)
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
        session.get(url) as answer,
    ):
        return await answer.text()
