"""The gateway with accounts on: who is let in, who is not, and what each is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.core.principal import Principal
from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.audit import AuditRecord
from prodigon_lib.security.audit import AuditLog
from prodigon_lib.security.policy import RULES
from tests.fakes.authenticator import ADA, FakeAuthenticator
from tests.integration.gateway.conftest import as_new, error_of, settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel

ID = "9f1b2c3d-0000-4000-8000-000000000000"
GENERATE = {"prompt": "Hello"}
BEARER = {"Authorization": "Bearer ada"}
OUTSIDE = "203.0.113.7"


def secured(model: FakeModel, jobs: FakeJobs, audit: AuditLog | None = None, **settings: Any) -> FastAPI:
    return create_app(
        settings_for(**settings), model=model, jobs=jobs, authenticator=FakeAuthenticator(), audit=audit
    )


@pytest.fixture(scope="module")
def app() -> tuple[FastAPI, FakeModel, FakeJobs]:
    """One gateway for all tests that change nothing of it: it costs more than a test."""
    model, jobs = FakeModel(), FakeJobs()
    return secured(model, jobs), model, jobs


@pytest.fixture
def model(app: tuple[FastAPI, FakeModel, FakeJobs]) -> FakeModel:
    return as_new(app[1])


@pytest.fixture
def jobs(app: tuple[FastAPI, FakeModel, FakeJobs]) -> FakeJobs:
    return as_new(app[2])


@pytest.fixture
async def door(app: tuple[FastAPI, FakeModel, FakeJobs], jobs: FakeJobs) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app[0]) as client:
        yield client


def client_of(app: FastAPI, address: str = OUTSIDE) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 1234), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


def path_of(template: str) -> str:
    for name in ("session_id", "message_id", "job_id", "model_id", "path"):
        template = template.replace("{" + name + "}", ID)
    return template


PROTECTED = sorted(key for key, rule in RULES.items() if rule.scope is not None and key[1] != "/simulated")


@pytest.mark.parametrize(("method", "template"), PROTECTED)
async def test_no_route_answers_without_a_credential(
    door: httpx.AsyncClient, model: FakeModel, method: str, template: str
) -> None:
    answer = await door.request(method, path_of(template), json={})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not model.asked


@pytest.mark.parametrize("path", ["/health", "/health/live", "/docs", "/openapi.json"])
async def test_what_is_for_everybody_asks_for_none(door: httpx.AsyncClient, path: str) -> None:
    assert (await door.get(path)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer nobody")],
        [("Authorization", "Bearer ")],
        [("Authorization", "ada")],
        [("Authorization", "Basic ada")],
        [("Authorization", "Bearer  ada")],
        [("Authorization", "Bearer ada, Bearer bob")],
        [("Authorization", "Bearer ada"), ("Authorization", "Bearer ada")],
        [("Authorization", "Bearer " + "a" * 5000)],
        [("Authorization", b"Bearer \xe4da")],
        [("X-API-Key", "ada"), ("Cookie", "token=ada"), ("X-User-ID", str(ADA))],
    ],
)
async def test_a_credential_stands_in_one_place(door: httpx.AsyncClient, headers: Any) -> None:
    answer = await door.post("/api/v1/generate", json=GENERATE, headers=headers)
    assert answer.status_code == 401
    assert error_of(answer)["code"] == "UNAUTHENTICATED"
    assert (await door.get("/v1/models?api_key=ada&access_token=ada", headers=headers)).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_schemes_name_may_be_spelled_in_any_way(door: httpx.AsyncClient, scheme: str) -> None:
    answer = await door.post("/api/v1/generate", json=GENERATE, headers={"Authorization": f"{scheme} ada"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    "/nowhere /api/v1/jobs/ /api//v1/jobs /API/v1/jobs /healthy /metricsx /health/x /docs/".split(),
)
async def test_a_path_that_is_not_there_needs_a_credential_too(door: httpx.AsyncClient, path: str) -> None:
    assert (await door.get(path)).status_code == 401
    answer = await door.get(path, headers=BEARER)
    assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND")


async def test_a_wrong_method_is_told_which_there_are(door: httpx.AsyncClient) -> None:
    assert (await door.put("/api/v1/jobs")).status_code == 401
    answer = await door.put("/api/v1/jobs", headers=BEARER)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_new_line_at_the_end_is_judged_as_the_router_reads_it(door: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer pdg_jobs"}
    assert (await door.get("/api/v1/chat/sessions%0A", headers=headers)).status_code == 403
    assert (await door.get("/metrics%0A", headers=headers)).status_code == 403


async def test_a_route_without_a_rule_is_denied_to_everybody(model: FakeModel, jobs: FakeJobs) -> None:
    app = secured(model, jobs)
    app.add_api_route("/api/v1/forgotten", lambda: "secret")
    async with client_of(app) as client:
        assert (await client.get("/api/v1/forgotten")).status_code == 401
        for credential in ("ada", "operator"):
            answer = await client.get("/api/v1/forgotten", headers={"Authorization": f"Bearer {credential}"})
            assert (answer.status_code, error_of(answer)["code"]) == (403, "FORBIDDEN")


async def test_who_may_do_one_thing_may_not_do_another(door: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer pdg_jobs"}
    assert (await door.get(f"/api/v1/jobs/{ID}", headers=headers)).status_code == 404
    for path in ("/v1/models", "/api/v1/chat/sessions", "/metrics"):
        assert (await door.get(path, headers=headers)).status_code == 403


async def test_the_route_knows_who_calls(door: httpx.AsyncClient, jobs: FakeJobs) -> None:
    await door.post("/api/v1/jobs", json={"prompts": ["One"]}, headers=BEARER)
    assert [user for user, _ in jobs.submitted] == [ADA]


@pytest.mark.parametrize("prefix", ["", "/openai"])
async def test_openais_clients_get_openais_errors(door: httpx.AsyncClient, prefix: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    answer = await door.post(f"{prefix}/v1/chat/completions", json=body)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"
    denied = await door.post(
        f"{prefix}/v1/chat/completions", json=body, headers={"Authorization": "Bearer pdg_jobs"}
    )
    assert denied.status_code == 403
    assert denied.json()["error"]["type"] == "permission_error"


async def test_an_authenticator_that_is_away_lets_nobody_in(model: FakeModel, jobs: FakeJobs) -> None:
    class Away(FakeAuthenticator):
        async def authenticate(self, credential: str) -> Principal:
            raise UpstreamUnavailable("the database is away", retry_after=1)

    app = create_app(settings_for(), model=model, jobs=jobs, authenticator=Away())
    async with client_of(app) as client:
        assert (await client.get("/v1/models", headers=BEARER)).status_code == 503


async def test_metrics_are_for_operators_and_for_who_stands_inside(model: FakeModel, jobs: FakeJobs) -> None:
    app = secured(model, jobs, metrics_from="10.0.0.0/8, 127.0.0.1")
    async with client_of(app) as outside, client_of(app, "10.1.2.3") as inside:
        assert (await outside.get("/metrics")).status_code == 401
        assert (await outside.get("/metrics", headers=BEARER)).status_code == 403
        operator = {"Authorization": "Bearer operator"}
        assert (await outside.get("/metrics", headers=operator)).status_code == 200
        assert (await inside.get("/metrics")).status_code == 200
        assert (await inside.get("/memory")).status_code == 200
        assert (await inside.get("/v1/models")).status_code == 401
        assert (await inside.get("/metrics", headers={"X-Forwarded-For": OUTSIDE})).status_code == 401
        assert (await inside.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"})).status_code == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
@pytest.mark.parametrize("trusted", ["", "10.9.9.9"])
async def test_a_proxy_that_nobody_named_makes_nobody_an_insider(
    model: FakeModel, jobs: FakeJobs, header: str, trusted: str
) -> None:
    app = secured(model, jobs, trusted_proxies=trusted)
    async with client_of(app, "127.0.0.1") as proxy:
        for said in ("127.0.0.1", OUTSIDE):
            assert (await proxy.get("/metrics", headers={header: said})).status_code == 401


async def test_a_trusted_proxy_says_who_stands_inside(model: FakeModel, jobs: FakeJobs) -> None:
    app = secured(model, jobs, metrics_from="10.0.0.0/8", trusted_proxies="10.9.9.9")
    async with client_of(app, "10.9.9.9") as proxy:
        assert (await proxy.get("/metrics", headers={"X-Forwarded-For": OUTSIDE})).status_code == 401
        assert (await proxy.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"})).status_code == 200


class Rows:
    """An `AuditRepository` in memory."""

    def __init__(self) -> None:
        self.rows: list[AuditRecord] = []

    async def add(self, records: list[AuditRecord]) -> None:
        self.rows += records


@asynccontextmanager
async def audited(rows: Rows) -> AsyncIterator[AuditLog]:
    log = AuditLog(rows)  # type: ignore[arg-type]
    async with log.opened():
        yield log


async def test_each_denial_is_written_down_and_counted(model: FakeModel, jobs: FakeJobs) -> None:
    rows = Rows()
    async with audited(rows) as log, client_of(secured(model, jobs, log)) as client:
        await client.get(f"/api/v1/jobs/{ID}")
        await client.get("/nowhere")
        denied = await client.get("/v1/models", headers={"Authorization": "Bearer pdg_jobs"})
        await client.get("/v1/models", headers=BEARER)
        metrics = await client.get("/metrics", headers={"Authorization": "Bearer operator"})
    assert [(row.event, row.outcome, row.target, row.actor) for row in rows.rows] == [
        ("access", "failure", "GET /api/v1/jobs/{job_id}", None),
        ("access", "failure", "no route", None),
        ("access", "denied", "GET /v1/models", ADA),
    ]
    assert {row.address for row in rows.rows} == {OUTSIDE}
    assert rows.rows[-1].key_id is not None
    assert rows.rows[-1].request_id == denied.headers["x-request-id"]
    assert 'prodigon_access_denied_total{reason="unauthenticated"} 2.0' in metrics.text
    assert 'prodigon_access_denied_total{reason="forbidden"} 1.0' in metrics.text


async def test_each_request_is_its_own_callers(door: httpx.AsyncClient, jobs: FakeJobs) -> None:
    """Many at once, of two users: none is taken for the other."""
    asked = (
        door.post("/api/v1/jobs", json={"prompts": [name]}, headers={"Authorization": f"Bearer {name}"})
        for name in ("ada", "bob") * 20
    )
    await asyncio.gather(*asked)
    assert all((user == ADA) == (sent.prompts == ["ada"]) for user, sent in jobs.submitted)
    assert len(jobs.submitted) == 40


async def test_the_document_says_how_to_show_a_credential(door: httpx.AsyncClient) -> None:
    document = (await door.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    generate = document["paths"]["/api/v1/generate"]["post"]
    assert generate["security"] == [{"bearer": []}]
    assert {"401", "403"} <= set(generate["responses"])
    assert "security" not in document["paths"]["/health"]["get"]


async def test_without_accounts_nobody_is_asked() -> None:
    async with client_of(create_app(settings_for(), model=FakeModel(), jobs=FakeJobs())) as client:
        assert (await client.get("/v1/models")).status_code == 200
        document = (await client.get("/openapi.json")).json()
    assert "securitySchemes" not in document["components"]
