"""What the images do from their start to their end, each on a host of its own, without a container engine."""

import asyncio
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from prodigon_lib.client.credentials import Login
from prodigon_lib.persistence.migrations import current_revision, newest_revision
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.security.envelope_keys import draw_envelope_key
from tests.dockerfiles import SERVICES
from tests.integration.services.hosts import Host, Network, need_namespaces, network
from tests.integration.services.images import Image, build_environment, image
from tests.integration.services.servers import Database, PostgresServer, postgres_at
from tests.polling import eventually_sync

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PATIENCE = 60.0
ENDED_BY_SIGTERM = 128 + signal.SIGTERM
SECURED = {"AUTH": "accounts", "REGISTRATION": "open", "TRUSTED_HOSTS": "*"}
SECURED |= {name: draw_envelope_key("first") for name in ("ENVELOPE_KEYS", "SERVICE_KEYS")}
ADA = {"name": "ada", "password": "correct horse battery staple"}
SHORT = {"prompt": "What is a lease?", "max_tokens": 8}


@dataclass
class Site:
    """Where the images run: a network, a Postgres on it, and a folder for logs."""

    net: Network
    postgres: PostgresServer
    images: Mapping[str, Image]
    logs: Path

    def start(self, service: str, settings: Mapping[str, str], host: Host | None = None) -> "Container":
        host = host or self.net.host(service)
        log = self.logs / f"{host.cable}.log"
        return Container(self.images[service], host, self.images[service].run(host, settings, log), log)


@dataclass
class Container:
    image: Image
    host: Host
    process: psutil.Process
    log: Path

    @property
    def url(self) -> str:
        return f"http://{self.host.address}:{self.image.stage.only('EXPOSE').rest}"

    def until_healthy(self) -> "Container":
        def settled() -> bool:
            if not self.process.is_running() or self.process.status() == psutil.STATUS_ZOMBIE:
                pytest.fail(self.log.read_text())
            return self.image.healthy(self.host)

        eventually_sync(settled, within=PATIENCE, every=0.1)
        return self

    def until_it_logs(self, event: str) -> None:
        eventually_sync(lambda: event in self.log.read_text(), within=PATIENCE)

    def told_to_end(self) -> int:
        """Send SIGTERM; the code that it ends with."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        return self.host.processes[-1].wait(PATIENCE)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Not below pytest's: the images' user has to walk there."""
    need_namespaces()
    made = Path(tempfile.mkdtemp(prefix="prodigon-images-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def whole_site(folder: Path) -> Iterator[Site]:
    with network() as net, postgres_at(net.gateway, str(net.addresses)) as postgres:
        venv = build_environment(folder)
        yield Site(net, postgres, {name: image(name, folder, venv) for name in SERVICES}, folder)


@pytest.fixture
def site(whole_site: Site) -> Iterator[Site]:
    """Without a host."""
    yield whole_site
    whole_site.net.clear()


@pytest.fixture
def database(site: Site) -> Database:
    return site.postgres.new_database()


def test_the_system_runs_from_its_images(site: Site, database: Database) -> None:
    simulated = {"USE_MOCK": "true", "SIMULATED_PROFILE": "instant"}
    model = site.start("model", {**SECURED, **simulated}).until_healthy()
    settings = {**SECURED, "DATABASE_URL": database.url, "MODEL_SERVICE_URL": model.url}
    worker = site.start("worker", settings)
    gateway = site.start("gateway", {**settings, "WORKER_SERVICE_URL": worker.url}).until_healthy()
    worker.until_healthy()

    assert asyncio.run(current_revision(parse_database_url(database.local))) == newest_revision()
    with signed_up(gateway) as client:
        eventually_sync(lambda: client.get("/health/ready").status_code == 200, within=PATIENCE)
        assert client.get("/health").json()["environment"] == "production"
        assert client.post("/api/v1/generate", json=SHORT).json()["usage"]["completion_tokens"] > 0
        job = client.post("/api/v1/jobs", json={"prompts": ["What is a lease?"] * 5}).json()["job_id"]
        finished = eventually_sync(lambda: finished_job(client, job), within=PATIENCE)
    assert (finished["status"], finished["completed_prompts"]) == ("completed", 5)
    for container in (model, worker, gateway):
        assert set(container.process.uids()) == {10001}
        assert namespace_pid(container.process) == 1
        assert container.told_to_end() == ENDED_BY_SIGTERM


def test_the_monolith_runs_from_its_image(site: Site, database: Database) -> None:
    settings = {**SECURED, "DATABASE_URL": database.url, "USE_MOCK": "true", "SIMULATED_PROFILE": "instant"}
    monolith = site.start("monolith", settings).until_healthy()
    with signed_up(monolith) as client:
        assert client.post("/api/v1/generate", json=SHORT).status_code == 200
        assert client.post("/api/v1/jobs", json={"prompts": ["What is a lease?"]}).status_code == 202
    assert monolith.told_to_end() == ENDED_BY_SIGTERM


def test_a_stream_may_end_before_its_service_does(site: Site) -> None:
    model = stalling_model(site, stall_seconds=2, shutdown_seconds=30)
    with caller(model) as client, client.stream("POST", "/inference/stream", json=SHORT) as answer:
        lines = answer.iter_lines()
        next(lines)
        model.process.send_signal(signal.SIGTERM)
        assert list(filter(None, lines))[-1] == "data: [DONE]"
    assert model.ended() == ENDED_BY_SIGTERM


def test_a_stream_is_ended_when_its_time_is_over(site: Site) -> None:
    model = stalling_model(site, stall_seconds=2 * PATIENCE, shutdown_seconds=1)
    with caller(model) as client, client.stream("POST", "/inference/stream", json=SHORT) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert model.told_to_end() == ENDED_BY_SIGTERM
        assert "data: [DONE]" not in read_what_is_left(lines)


def stalling_model(site: Site, *, stall_seconds: float, shutdown_seconds: float) -> Container:
    """In development, as only there a model can be told to be slow."""
    settings = {"ENVIRONMENT": "development", "SHUTDOWN_SECONDS": str(shutdown_seconds)}
    model = site.start("model", settings).until_healthy()
    faults = {"stall_rate": 1, "stall_seconds": stall_seconds, "stall_after": 3}
    httpx.put(f"{model.url}/simulated", json={"faults": faults}, trust_env=False).raise_for_status()
    return model


def read_what_is_left(lines: Iterator[str]) -> list[str]:
    found: list[str] = []
    with suppress(httpx.TransportError):
        found.extend(lines)
    return found


@pytest.mark.parametrize(
    ("service", "settings", "named"),
    [
        ("gateway", {}, "DATABASE_URL"),
        ("gateway", {"DATABASE_URL": "mysql://db/x"}, "DATABASE_URL"),
        ("worker", {"DATABASE_URL": "postgresql://db/x", "LEASE_SECONDS": "soon"}, "LEASE_SECONDS"),
        ("model", {}, "GROQ_API_KEY"),
    ],
)
def test_what_is_missing_or_wrong_stops_the_start(
    site: Site, service: str, settings: Mapping[str, str], named: str
) -> None:
    container = site.start(service, settings)
    assert container.ended() == 1
    (line,) = container.log.read_text().splitlines()
    assert named in line


def test_a_gateway_waits_for_its_database(site: Site, database: Database) -> None:
    host = site.net.host("early")
    host.cut()
    gateway = site.start("gateway", {**SECURED, "DATABASE_URL": database.url}, host)
    gateway.until_it_logs("waiting for the database")
    assert not gateway.image.healthy(host)
    host.plug()
    gateway.until_healthy()
    assert asyncio.run(current_revision(parse_database_url(database.local))) == newest_revision()


def test_a_gateway_that_waits_ends_when_told(site: Site) -> None:
    host = site.net.host("waits")
    host.cut()
    gateway = site.start("gateway", {"DATABASE_URL": site.postgres.new_database().url}, host)
    gateway.until_it_logs("waiting for the database")
    assert gateway.told_to_end() == ENDED_BY_SIGTERM
    assert gateway.log.read_text().count("Traceback") == 0


def caller(container: Container) -> httpx.Client:
    return httpx.Client(base_url=container.url, timeout=30, trust_env=False)


def signed_up(container: Container) -> httpx.Client:
    register = f"{container.url}/api/v1/auth/register"
    httpx.post(register, json=ADA, timeout=30, trust_env=False).raise_for_status()
    client = caller(container)
    client.auth = Login(container.url, ADA["name"], ADA["password"])
    return client


def finished_job(client: httpx.Client, job: str) -> dict[str, Any] | None:
    view: dict[str, Any] = client.get(f"/api/v1/jobs/{job}").json()
    return view if view["status"] in ("completed", "failed") else None


def namespace_pid(process: psutil.Process) -> int:
    """Its number where it lives itself."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"^NSpid:.*\s(\d+)$", status, re.MULTILINE)[1])
