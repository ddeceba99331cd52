"""`AUTH=accounts`, whole: the gateway makes its accounts itself, on a real database."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.principal import Role, Scope
from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.collaborators import Collaborators
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.security.accounts import Origin
from prodigon_lib.security.envelope_keys import draw_envelope_key
from tests.integration.gateway.conftest import settings_for, without_socket
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.polling import eventually

HERE = Origin("127.0.0.1")
PASSWORD = "correct horse battery staple"
GENERATE = {"prompt": "Hello", "model": "small", "temperature": 0}


@pytest.fixture
async def app(database: DatabaseUrl, model: FakeModel, jobs: FakeJobs) -> AsyncIterator[FastAPI]:
    settings = settings_for(
        database, auth="accounts", envelope_keys=draw_envelope_key("first"), cache="memory"
    )
    made = create_app(settings, model=model, jobs=jobs)
    async with made.router.lifespan_context(made):
        yield made


async def logged_in(app: FastAPI, name: str) -> httpx.AsyncClient:
    bound: Collaborators = app.state.collaborators
    assert bound.accounts is not None
    await bound.accounts.create(name, PASSWORD, Role.LEARNER, HERE)
    tokens = await bound.accounts.login(name, PASSWORD, HERE)
    client = without_socket(app)
    client.headers["Authorization"] = f"Bearer {tokens.access}"
    return client


async def test_a_login_and_a_key_let_their_user_in(app: FastAPI) -> None:
    ada, bob = await logged_in(app, "ada"), await logged_in(app, "bob")
    made = await ada.post("/api/v1/chat/sessions", json={"title": "Mine"})
    assert made.status_code == 201
    path = f"/api/v1/chat/sessions/{made.json()['id']}"
    assert (await ada.get(path)).status_code == 200
    for method in ("GET", "PATCH", "DELETE"):
        answer = await bob.request(method, path, json={"title": "Yours"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "SESSION_NOT_FOUND")
    assert (await bob.get("/api/v1/chat/sessions")).json() == []
    assert (await without_socket(app).get(path)).status_code == 401


async def test_an_answer_is_kept_for_its_user_alone(app: FastAPI, model: FakeModel) -> None:
    ada, bob = await logged_in(app, "ada"), await logged_in(app, "bob")
    completion = {"model": "small", "messages": [{"role": "user", "content": "Hello!"}], "temperature": 0}
    for path, body in (("/api/v1/generate", GENERATE), ("/v1/chat/completions", completion)):
        asked = len(model.bodies)
        for client, times in ((ada, 1), (ada, 1), (bob, 2), (bob, 2)):
            assert (await client.post(path, json=body)).status_code == 200
            assert len(model.bodies) == asked + times


async def test_a_key_is_good_for_its_scopes(app: FastAPI) -> None:
    ada = await logged_in(app, "ada")
    accounts = app.state.collaborators.accounts
    who = await accounts.authenticate(ada.headers["Authorization"].removeprefix("Bearer "))
    _, key = await accounts.create_key(who, HERE, name="one", scopes=frozenset({Scope.GENERATE}))
    ada.headers["Authorization"] = f"Bearer {key.text}"
    assert (await ada.post("/api/v1/generate", json=GENERATE)).status_code == 200
    assert (await ada.get("/api/v1/chat/sessions")).status_code == 403


async def test_a_denial_stands_in_the_audit_log(app: FastAPI) -> None:
    await without_socket(app).get("/v1/models")
    database = app.state.collaborators.database
    found = text("SELECT outcome FROM audit_log WHERE event = 'access' AND target = 'GET /v1/models'")

    async def written() -> Any:
        async with database.transaction() as db:
            return (await db.execute(found)).scalar()

    async def denied() -> bool:
        return bool(await written() == "failure")

    await eventually(denied, within=10)


def test_accounts_need_a_database_and_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODIGON_ENV_FILE", "")
    for name in ("DATABASE_URL", "ENVELOPE_KEYS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="DATABASE_URL and ENVELOPE_KEYS must be set when AUTH=accounts"):
        load_settings(GatewaySettings, auth="accounts")
