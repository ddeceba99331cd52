"""The real gateway with a real Postgres; the model and the jobs are fakes that a test tells what to do."""

from collections.abc import AsyncIterator

import httpx
import pytest

from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.persistence.url import DatabaseUrl
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.serving import serving


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def jobs() -> FakeJobs:
    return FakeJobs()


def settings_for(database: DatabaseUrl, **others: object) -> GatewaySettings:
    return GatewaySettings(_env_file=None, database_url=database.dsn, **others)


@pytest.fixture
async def gateway(database: DatabaseUrl, model: FakeModel, jobs: FakeJobs) -> AsyncIterator[str]:
    """The base URL of a running gateway."""
    async with serving(create_app(settings_for(database), model=model, jobs=jobs)) as url:
        yield url


@pytest.fixture
async def http(gateway: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway, timeout=20, trust_env=False) as client:
        yield client


def error_of(response: httpx.Response) -> dict[str, str]:
    """The envelope's inside, after a look that it is one and says which request it was."""
    document = response.json()
    assert list(document) == ["error"]
    assert set(document["error"]) == {"code", "message", "request_id"}
    assert document["error"]["request_id"] == response.headers["X-Request-ID"]
    return document["error"]
