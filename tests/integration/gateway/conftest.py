"""The real gateway with a real Postgres; the model and the jobs are fakes that a test tells what to do."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.persistence.url import DatabaseUrl
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.gateway.threads import serving_in_thread
from tests.integration.serving import serving


@pytest.fixture(scope="session")
def shared() -> tuple[Any, FakeModel, FakeJobs]:
    """One gateway for all tests that need no database and no socket: it costs more than a test."""
    model, jobs = FakeModel(), FakeJobs()
    return create_app(settings_for(), model=model, jobs=jobs), model, jobs


@pytest.fixture
def model(shared: tuple[Any, FakeModel, FakeJobs]) -> FakeModel:
    return as_new(shared[1])


@pytest.fixture
def jobs(shared: tuple[Any, FakeModel, FakeJobs]) -> FakeJobs:
    return as_new(shared[2])


def as_new(fake: Any) -> Any:
    vars(fake).clear()
    vars(fake).update(vars(type(fake)()))
    return fake


def settings_for(database: DatabaseUrl | None = None, **others: object) -> GatewaySettings:
    return GatewaySettings(_env_file=None, database_url=database and database.dsn, **others)


@pytest.fixture
async def served(model: FakeModel, jobs: FakeJobs) -> AsyncIterator[httpx.AsyncClient]:
    """Talks to a running gateway over a socket; it has no database."""
    async with (
        serving(create_app(settings_for(), model=model, jobs=jobs)) as url,
        client_of(url) as client,
    ):
        yield client


@pytest.fixture
async def http(database: DatabaseUrl, model: FakeModel, jobs: FakeJobs) -> AsyncIterator[httpx.AsyncClient]:
    """Talks to a gateway that has a database, without a socket."""
    app = create_app(settings_for(database), model=model, jobs=jobs)
    async with app.router.lifespan_context(app), without_socket(app) as client:
        yield client


@pytest.fixture
async def direct(
    shared: tuple[Any, FakeModel, FakeJobs], model: FakeModel, jobs: FakeJobs
) -> AsyncIterator[httpx.AsyncClient]:
    """Talks to a gateway without a database or a socket: for tables of many requests."""
    async with without_socket(shared[0]) as client:
        yield client


@pytest.fixture
def threaded(database: DatabaseUrl, model: FakeModel, jobs: FakeJobs) -> Iterator[str]:
    """The base URL of a gateway in a thread of its own."""
    with serving_in_thread(lambda: create_app(settings_for(database), model=model, jobs=jobs)) as url:
        yield url


def without_socket(app: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


def client_of(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=20, trust_env=False)


def error_of(response: httpx.Response) -> dict[str, str]:
    """The envelope's inside, after a look that it is one and says which request it was."""
    document = response.json()
    assert list(document) == ["error"]
    assert set(document["error"]) == {"code", "message", "request_id"}
    assert document["error"]["request_id"] == response.headers["X-Request-ID"]
    return document["error"]
