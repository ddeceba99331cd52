"""What the gateway says to browsers, and which names it answers to."""

from typing import Any

import httpx
import pytest

from prodigon_lib.core.settings import Environment
from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.url import parse_database_url
from tests.integration.gateway.conftest import settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel

CLOSED = "default-src 'none'; frame-ancestors 'none'"


def client(
    model: FakeModel, jobs: FakeJobs, base: str = "http://127.0.0.1", **settings: Any
) -> httpx.AsyncClient:
    app = create_app(settings_for(**settings), model=model, jobs=jobs)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v1/generate", 200),
        ("POST", "/v1/chat/completions", 422),
        ("GET", "/nowhere", 404),
        ("GET", "/openapi.json", 200),
        ("GET", "/health", 200),
    ],
)
async def test_every_answer_is_closed(
    method: str, path: str, status: int, model: FakeModel, jobs: FakeJobs
) -> None:
    async with client(model, jobs) as http:
        answer = await http.request(method, path, json={"prompt": "a"} if method == "POST" else None)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers.get_list("content-security-policy") == [CLOSED]
    assert "strict-transport-security" not in answer.headers


async def test_over_tls_it_asks_for_tls_from_now_on(model: FakeModel, jobs: FakeJobs) -> None:
    async with client(model, jobs, "https://127.0.0.1") as http:
        assert (await http.get("/health")).headers["strict-transport-security"].startswith("max-age=")


async def test_nobody_keeps_an_answer_with_credentials(model: FakeModel, jobs: FakeJobs) -> None:
    async with client(model, jobs) as http:
        for path in ("/api/v1/auth/login", "/api/v1/keys", "/api/v1/keys/7"):
            assert (await http.post(path)).headers["cache-control"] == "no-store"


async def test_the_page_may_run_its_own_scripts_only(model: FakeModel, jobs: FakeJobs) -> None:
    async with client(model, jobs) as http:
        policies = (await http.get("/docs")).headers.get_list("content-security-policy")
        refused = (await http.post("/docs")).headers.get_list("content-security-policy")
    assert len(policies) == 1
    rules = {rule.split()[0]: rule.split()[1:] for rule in policies[0].split(";")}
    assert [source[:8] for source in rules["script-src"]] == ["'self'", "'sha256-"]
    assert (rules["default-src"], rules["frame-ancestors"]) == (["'none'"], ["'none'"])
    assert refused == [CLOSED]


async def test_a_page_with_a_name_of_its_own_gets_nothing(model: FakeModel, jobs: FakeJobs) -> None:
    async with client(model, jobs) as http:
        answer = await http.get("/v1/models", headers={"Host": "evil.example"})
        probe = await http.get("/health/live", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "untrusted_host")
    assert probe.status_code == 200


async def test_names_that_are_trusted_get_in(model: FakeModel, jobs: FakeJobs) -> None:
    names = {"trusted_hosts": "api.example.org,*.example.net"}
    async with client(model, jobs, "http://10.0.0.7", **names) as http:
        statuses = [
            (await http.post("/api/v1/generate", json={"prompt": "a"}, headers={"Host": host})).status_code
            for host in ("api.example.org", "a.example.net:8000", "127.0.0.1", "example.net", "10.0.0.7")
        ]
    assert statuses == [200, 200, 200, 400, 400]


def test_production_says_its_names() -> None:
    with pytest.raises(ValueError, match="TRUSTED_HOSTS"):
        settings_for(parse_database_url("postgresql://db/x"), environment=Environment.PRODUCTION)


ASKING = {
    "Origin": "https://evil.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization",
}


@pytest.mark.parametrize("origins", ["*", "*,https://app.example", "https://app.example"])
async def test_no_page_gets_to_send_a_browsers_credentials(
    origins: str, model: FakeModel, jobs: FakeJobs
) -> None:
    async with client(model, jobs, allowed_origins=origins) as http:
        answers = [
            await http.options("/api/v1/generate", headers=ASKING),
            await http.post("/api/v1/generate", json={"prompt": "a"}, headers={**ASKING, "Cookie": "a=b"}),
        ]
    for answer in answers:
        assert "access-control-allow-credentials" not in answer.headers
        allowed = answer.headers.get("access-control-allow-origin")
        assert allowed == ("*" if origins.startswith("*") else None)
