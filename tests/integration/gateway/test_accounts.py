"""The gateway with accounts on, over its routes: who logs in, what they own, and what operators see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from prodigon_lib.core.principal import Role
from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.persistence.accounts import AccountRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.security.envelope_keys import draw_envelope_key
from prodigon_lib.security.passwords import Passwords
from tests.integration.gateway.conftest import error_of, settings_for, without_socket
from tests.integration.gateway.fakes import USAGE, FakeJobs, FakeModel
from tests.polling import eventually

PASSWORD = "tide-lantern-fig"  # pragma: allowlist secret
KEYS = draw_envelope_key("test")


@pytest.fixture
async def gateway(
    database: DatabaseUrl, model: FakeModel, jobs: FakeJobs
) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway_with(database, model, jobs) as client:
        yield client


@asynccontextmanager
async def gateway_with(
    database: DatabaseUrl, model: FakeModel, jobs: FakeJobs, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    about = settings_for(database, auth="accounts", envelope_keys=KEYS, **settings)
    app = create_app(about, model=model, jobs=jobs)
    async with app.router.lifespan_context(app), without_socket(app) as client:
        yield client


async def log_in(gateway: httpx.AsyncClient, name: str = "ada") -> dict[str, Any]:
    answer = await gateway.post("/api/v1/auth/login", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


async def become(gateway: httpx.AsyncClient, name: str = "ada") -> dict[str, str]:
    """The header of a new user."""
    made = await gateway.post("/api/v1/auth/register", json={"name": name, "password": PASSWORD})
    assert made.status_code == 201
    return bearer((await log_in(gateway, name))["access_token"])


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


async def operator(
    gateway: httpx.AsyncClient, database: DatabaseUrl, name: str = "boss", role: Role = Role.OPERATOR
) -> dict[str, str]:
    """The header of an operator, or of another role, whom the command made."""
    opened, passwords = Database(database), Passwords()
    await AccountRepository(opened).create(name, role, await passwords.hash(PASSWORD))
    passwords.close()
    await opened.close()
    return bearer((await log_in(gateway, name))["access_token"])


async def test_a_login_from_its_beginning_to_its_end(gateway: httpx.AsyncClient) -> None:
    made = await gateway.post("/api/v1/auth/register", json={"name": "Ada", "password": PASSWORD})
    assert (made.json()["name"], made.json()["role"]) == ("ada", "learner")
    tokens = await log_in(gateway)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)
    me = await gateway.get("/api/v1/auth/me", headers=bearer(tokens["access_token"]))
    assert me.json() == made.json()
    again = await gateway.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    header = bearer(again.json()["access_token"])
    assert (await gateway.post("/api/v1/auth/logout", headers=header)).status_code == 204
    assert (await gateway.get("/api/v1/auth/me", headers=header)).status_code == 401


async def test_a_wrong_name_and_a_wrong_password_get_one_answer(gateway: httpx.AsyncClient) -> None:
    await become(gateway)
    answers = []
    for name, password in (("ada", "copper-meadow"), ("grace", PASSWORD)):
        answer = await gateway.post("/api/v1/auth/login", json={"name": name, "password": password})
        fixed = {key: value for key, value in answer.headers.items() if not key.startswith("x-")}
        error = error_of(answer)
        answers.append((answer.status_code, error["code"], error["message"], fixed))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_too_many_wrong_ones_are_told_to_wait(gateway: httpx.AsyncClient) -> None:
    wrong = {"name": "ada", "password": "copper-meadow"}
    answers = [await gateway.post("/api/v1/auth/login", json=wrong) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ad", "password": PASSWORD},
        {"name": "ada lovelace", "password": PASSWORD},
        {"name": "ada\n", "password": PASSWORD},
        {"name": "ada", "password": ""},
        {"name": "ada", "password": "short"},
        {"name": "ada", "password": "password123"},
        {"name": "ada", "password": "x" * 1025},
        {"name": "ada"},
    ],
)
async def test_what_cannot_be_an_account_is_refused(gateway: httpx.AsyncClient, body: Any) -> None:
    answer = await gateway.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 422
    assert body.get("password") in (None, "") or body["password"] not in answer.text


async def test_a_name_is_taken_in_any_spelling(gateway: httpx.AsyncClient) -> None:
    await become(gateway)
    for name in ("ada", "ADA", "default"):
        answer = await gateway.post("/api/v1/auth/register", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 409


async def test_production_lets_nobody_register_unless_it_says_so(database: DatabaseUrl) -> None:
    about = {"auth": "accounts", "envelope_keys": KEYS, "database_url": database.dsn}
    assert GatewaySettings(_env_file=None, **about).open_registration
    assert not GatewaySettings(_env_file=None, **about, registration="closed").open_registration
    app = create_app(settings_for(database, auth="accounts", envelope_keys=KEYS, registration="closed"))
    async with app.router.lifespan_context(app), without_socket(app) as client:
        answer = await client.post("/api/v1/auth/register", json={"name": "ada", "password": PASSWORD})
    assert (answer.status_code, error_of(answer)["code"]) == (403, "FORBIDDEN")


async def test_a_key_is_shown_once_and_good_for_its_scope(gateway: httpx.AsyncClient) -> None:
    ada = await become(gateway)
    made = await gateway.post("/api/v1/keys", json={"name": "sdk", "scopes": ["generate"]}, headers=ada)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    key = bearer(made.json()["key"])
    assert made.json()["key"].startswith(made.json()["prefix"] + "_")
    answer = await gateway.post("/api/v1/generate", json={"prompt": "Hello"}, headers=key)
    assert answer.status_code == 200
    assert (await gateway.get("/api/v1/chat/sessions", headers=key)).status_code == 403
    assert (await gateway.get("/api/v1/keys", headers=key)).status_code == 403
    (listed,) = (await gateway.get("/api/v1/keys", headers=ada)).json()
    assert "key" not in listed
    assert listed["last_used_at"] is not None
    gone = await gateway.delete(f"/api/v1/keys/{listed['key_id']}", headers=ada)
    assert gone.status_code == 204
    assert (await gateway.post("/api/v1/generate", json={"prompt": "Hello"}, headers=key)).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "sdk", "scopes": []}, 422),
        ({"name": "sdk", "scopes": ["everything"]}, 422),
        ({"name": "", "scopes": ["jobs"]}, 422),
        ({"name": "sdk", "scopes": ["jobs"], "expires_at": "2001-01-01T00:00:00Z"}, 422),
        ({"name": "sdk", "scopes": ["account"]}, 403),
        ({"name": "sdk", "scopes": ["jobs", "admin"]}, 403),
    ],
)
async def test_a_key_beyond_ones_own_is_not_made(gateway: httpx.AsyncClient, body: Any, status: int) -> None:
    answer = await gateway.post("/api/v1/keys", json=body, headers=await become(gateway))
    assert answer.status_code == status


async def test_another_users_things_are_not_there(gateway: httpx.AsyncClient) -> None:
    ada, grace = await become(gateway), await become(gateway, "grace")
    session = (await gateway.post("/api/v1/chat/sessions", json={}, headers=ada)).json()["id"]
    body = {"name": "sdk", "scopes": ["jobs"]}
    key = (await gateway.post("/api/v1/keys", json=body, headers=ada)).json()["key_id"]
    for method, path, code in (
        ("GET", f"/api/v1/chat/sessions/{session}", "SESSION_NOT_FOUND"),
        ("DELETE", f"/api/v1/chat/sessions/{session}", "SESSION_NOT_FOUND"),
        ("DELETE", f"/api/v1/keys/{key}", "KEY_NOT_FOUND"),
    ):
        answer = await gateway.request(method, path, headers=grace)
        assert (answer.status_code, error_of(answer)["code"]) == (404, code)
    assert (await gateway.get("/api/v1/chat/sessions", headers=grace)).json() == []
    assert (await gateway.get(f"/api/v1/chat/sessions/{session}", headers=ada)).status_code == 200


async def test_another_password_needs_the_one_before(gateway: httpx.AsyncClient) -> None:
    ada = await become(gateway)
    for current, status in (("copper-meadow", 422), (PASSWORD, 204)):
        body = {"current_password": current, "new_password": "copper-meadow-nine"}
        answer = await gateway.post("/api/v1/auth/password", json=body, headers=ada)
        assert answer.status_code == status


async def test_an_operator_changes_accounts_and_reads_the_log(
    gateway: httpx.AsyncClient, database: DatabaseUrl
) -> None:
    ada, boss = await become(gateway), await operator(gateway, database)
    page = await gateway.get("/api/v1/accounts", params={"limit": 1}, headers=boss)
    assert [account["name"] for account in page.json()] == ["boss"]
    rest = await gateway.get(
        "/api/v1/accounts", params={"cursor": page.headers["X-Next-Cursor"]}, headers=boss
    )
    user = next(account["id"] for account in rest.json() if account["name"] == "ada")
    path = f"/api/v1/accounts/{user}"
    changed = await gateway.patch(path, json={"role": "teacher"}, headers=boss)
    assert (changed.status_code, changed.json()["role"]) == (200, "teacher")
    assert (await gateway.get("/api/v1/auth/me", headers=ada)).json()["role"] == "teacher"
    await gateway.patch(path, json={"disabled": True}, headers=boss)
    assert (await gateway.get("/api/v1/auth/me", headers=ada)).status_code == 401

    async def logged() -> Any:
        wanted = {"event": "account.disabled", "outcome": "success"}
        return (await gateway.get("/api/v1/audit", params=wanted, headers=boss)).json()

    (record,) = await eventually(logged)
    assert record["target"] == user


async def test_a_teacher_sees_how_much_the_learners_use_and_changes_nothing(
    gateway: httpx.AsyncClient, database: DatabaseUrl
) -> None:
    ada, boss = await become(gateway), await operator(gateway, database)
    teacher = await operator(gateway, database, "tina", Role.TEACHER)
    await gateway.post("/api/v1/chat/sessions", json={"title": "A secret"}, headers=ada)
    seen = await gateway.get("/api/v1/accounts", headers=teacher)
    (listed,) = seen.json()
    assert (listed["name"], listed["chats"], listed["tokens_today"]) == ("ada", 1, None)
    assert "secret" not in seen.text
    path = f"/api/v1/accounts/{listed['id']}"
    for method, denied in (("PATCH", path), ("GET", "/api/v1/audit")):
        answer = await gateway.request(method, denied, json={"disabled": True}, headers=teacher)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "FORBIDDEN")
    assert (await gateway.get("/api/v1/auth/me", headers=ada)).json()["disabled"] is False

    async def denials() -> list[str]:
        wanted = {"event": "access", "outcome": "denied"}
        found = (await gateway.get("/api/v1/audit", params=wanted, headers=boss)).json()
        return [record["target"] for record in reversed(found)]

    async def written_down() -> bool:
        return await denials() == ["PATCH /api/v1/accounts/{user_id}", "GET /api/v1/audit"]

    await eventually(written_down)


async def test_a_teachers_key_needs_the_scope_to_see_learners(
    gateway: httpx.AsyncClient, database: DatabaseUrl
) -> None:
    teacher = await operator(gateway, database, "tina", Role.TEACHER)
    for scope, status in (("learners", 200), ("jobs", 403)):
        made = await gateway.post("/api/v1/keys", json={"name": "class", "scopes": [scope]}, headers=teacher)
        answer = await gateway.get("/api/v1/accounts", headers=bearer(made.json()["key"]))
        assert answer.status_code == status


async def test_tokens_are_shown_where_they_are_counted(
    database: DatabaseUrl, model: FakeModel, jobs: FakeJobs
) -> None:
    async with gateway_with(database, model, jobs, token_quota=10_000) as gateway:
        ada = await become(gateway)
        await gateway.post("/api/v1/generate", json={"prompt": "Hello"}, headers=ada)
        boss = await operator(gateway, database)
        page = (await gateway.get("/api/v1/accounts", params={"limit": 2}, headers=boss)).json()
    assert {account["name"]: account["tokens_today"] for account in page} == {
        "boss": 0,
        "ada": USAGE.total_tokens,
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/accounts"), ("GET", "/api/v1/audit"), ("PATCH", "/api/v1/accounts/x")],
)
async def test_nobody_else_sees_what_operators_see(
    gateway: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await gateway.request(method, path, json={}, headers=await become(gateway))
    assert answer.status_code == 403


def test_accounts_need_what_they_stand_on() -> None:
    with pytest.raises(ValidationError, match="DATABASE_URL and ENVELOPE_KEYS"):
        GatewaySettings(_env_file=None, auth="accounts")
