"""Logging in at a real OIDC provider that runs on this machine."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from pydantic import ValidationError

from prodigon_lib.core.ids import UserId
from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.oidc import COOKIE
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.persistence.accounts import AccountRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import DatabaseUrl
from tests.integration.gateway.conftest import client_of, error_of, settings_for, without_socket
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.gateway.identity_provider import BACK, about, an_identity_provider
from tests.integration.worker.processes import free_port

BEGIN = "/api/v1/auth/oidc/login"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with an_identity_provider() as url:
        yield url


@pytest.fixture
async def gateway(
    provider: str, database: DatabaseUrl, model: FakeModel, jobs: FakeJobs
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings_for(database, **about(provider)), model=model, jobs=jobs)
    async with app.router.lifespan_context(app), without_socket(app) as client:
        yield client


async def agree(begun: httpx.Response, subject: str = "ada-1") -> dict[str, str]:
    """What the provider sends the browser back with, once somebody has logged in there."""
    async with client_of("") as browser:
        answer = await browser.post(begun.headers["Location"], data={"sub": subject})
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    return {name: values[0] for name, values in parse_qs(back.query).items()}


async def log_in(gateway: httpx.AsyncClient, subject: str = "ada-1") -> dict[str, Any]:
    begun = await gateway.get(BEGIN)
    answer = await gateway.get(urlsplit(BACK).path, params=await agree(begun, subject))
    assert answer.status_code == 200
    return answer.json()


async def me(gateway: httpx.AsyncClient, tokens: dict[str, Any]) -> dict[str, Any]:
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    return (await gateway.get("/api/v1/auth/me", headers=header)).json()


async def test_whom_the_provider_knows_is_logged_in_here(gateway: httpx.AsyncClient) -> None:
    first = await me(gateway, await log_in(gateway))
    assert (first["name"], first["role"]) == ("ada", "learner")
    assert COOKIE not in gateway.cookies  # used up
    assert await me(gateway, await log_in(gateway)) == first


async def test_a_name_or_an_address_is_nobodys_identity(gateway: httpx.AsyncClient) -> None:
    made = {"name": "ada", "password": "tide-lantern-fig"}  # pragma: allowlist secret
    await gateway.post("/api/v1/auth/register", json=made)
    first = await me(gateway, await log_in(gateway))
    second = await me(gateway, await log_in(gateway, "ada-2"))
    assert (first["name"], second["name"]) == ("ada-2", "ada-3")


async def test_the_browser_gets_a_cookie_that_no_script_reads(gateway: httpx.AsyncClient) -> None:
    begun = await gateway.get(BEGIN)
    assert begun.status_code == 302
    cookie = begun.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/api/v1/auth/oidc", "Max-Age=600"):
        assert part in cookie
    sent = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert sent["code_challenge_method"] == ["S256"]
    assert sent["state"][0] not in cookie


async def test_over_tls_the_cookie_goes_nowhere_else(provider: str, database: DatabaseUrl) -> None:
    settings = about(provider) | {"oidc_redirect_url": "https://gateway.example.org/back"}
    app = create_app(settings_for(database, **settings))
    async with app.router.lifespan_context(app), without_socket(app) as client:
        assert "Secure" in (await client.get(BEGIN)).headers["Set-Cookie"]


@pytest.mark.parametrize(
    "change", [{"state": "x"}, {"code": "x"}, {"iss": "http://127.0.0.1:1"}, {"code": ""}]
)
async def test_what_was_changed_on_the_way_is_refused(
    gateway: httpx.AsyncClient, change: dict[str, str]
) -> None:
    back = await agree(await gateway.get(BEGIN))
    answer = await gateway.get(urlsplit(BACK).path, params=back | change)
    assert (answer.status_code, error_of(answer)["code"]) == (401, "UNAUTHENTICATED")


async def test_another_browser_does_not_finish_it(gateway: httpx.AsyncClient) -> None:
    back = await agree(await gateway.get(BEGIN))
    gateway.cookies.clear()
    assert (await gateway.get(urlsplit(BACK).path, params=back)).status_code == 401
    await gateway.get(BEGIN)  # with a cookie of its own
    assert (await gateway.get(urlsplit(BACK).path, params=back)).status_code == 401


async def test_a_code_is_good_once(gateway: httpx.AsyncClient) -> None:
    begun = await gateway.get(BEGIN)
    back, cookie = await agree(begun), gateway.cookies[COOKIE]
    assert (await gateway.get(urlsplit(BACK).path, params=back)).status_code == 200
    gateway.cookies.set(COOKIE, cookie)
    assert (await gateway.get(urlsplit(BACK).path, params=back)).status_code == 401


async def test_a_provider_that_is_away_is_a_fault_of_its_own(database: DatabaseUrl) -> None:
    app = create_app(settings_for(database, **about(f"http://127.0.0.1:{free_port()}")))
    async with app.router.lifespan_context(app), without_socket(app) as client:
        answer = await client.get(BEGIN)
    assert (answer.status_code, error_of(answer)["code"]) == (503, "SERVICE_UNAVAILABLE")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"oidc_client_secret": None}, "OIDC_CLIENT_SECRET must be set"),
        ({"oidc_issuer": "http://id.example.org"}, "https://"),
        ({"auth": "none"}, "AUTH=accounts"),
    ],
)
def test_half_a_provider_stops_the_start(change: dict[str, Any], message: str) -> None:
    settings = about("http://127.0.0.1:9") | {"database_url": "postgresql://127.0.0.1/x"} | change
    with pytest.raises(ValidationError, match=message):
        GatewaySettings(_env_file=None, **settings)


async def test_a_disabled_account_is_let_in_by_no_provider(
    gateway: httpx.AsyncClient, database: DatabaseUrl
) -> None:
    ada = UserId(UUID((await me(gateway, await log_in(gateway)))["id"]))
    opened = Database(database)
    await AccountRepository(opened).change(ada, role=None, disabled=True)
    await opened.close()
    back = await agree(await gateway.get(BEGIN))
    answer = await gateway.get(urlsplit(BACK).path, params=back)
    assert (answer.status_code, error_of(answer)["code"]) == (401, "UNAUTHENTICATED")
