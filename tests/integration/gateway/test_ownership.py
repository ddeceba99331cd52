"""Each route, each kind of caller: who is let in, and that another's thing is not there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from prodigon_lib.core.http.matching import RouteTable
from prodigon_lib.core.principal import Principal, Role, Scope, scopes_of
from prodigon_lib.monolith.app import create_app
from prodigon_lib.monolith.settings import MonolithSettings
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.security.accounts import Accounts, Origin
from prodigon_lib.security.envelope_keys import draw_envelope_key
from prodigon_lib.security.policy import RULES, rule_for

HERE = Origin("203.0.113.7")
PASSWORD = "correct horse battery staple"
NOBODYS = "9f1b2c3d-0000-4000-8000-000000000000"
OWNED = ("session_id", "message_id", "job_id", "key_id")
BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/api/v1/chat/sessions/{session_id}"): {"title": "Mine now"},
    ("POST", "/api/v1/chat/sessions/{session_id}/messages"): {"role": "user", "content": "Hi"},
    ("POST", "/api/v1/chat/sessions/{session_id}/stream"): {"content": "Hi"},
}
KEYS = [(owner, scope) for owner in Role for scope in scopes_of(owner) - {Scope.ACCOUNT}]
Route = tuple[str, str]


@pytest.fixture
async def app(database: DatabaseUrl) -> AsyncIterator[FastAPI]:
    settings = MonolithSettings(
        _env_file=None,
        database_url=database.dsn,
        auth="accounts",
        envelope_keys=draw_envelope_key("first"),
        use_mock=True,
        simulated_profile="instant",
    )
    made = create_app(settings)
    async with made.router.lifespan_context(made):
        yield made


@asynccontextmanager
async def callers(app: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """A login of each role, keys of each scope that those of its owner may have, and nobody."""
    accounts: Accounts = app.state.collaborators.accounts
    async with AsyncExitStack() as stack:

        async def calling(credential: str | None) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app, client=(HERE.address, 1), raise_app_exceptions=False)
            headers = {"Authorization": f"Bearer {credential}"} if credential else {}
            client = httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)
            return await stack.enter_async_context(client)

        found = {"nobody": await calling(None)}
        for name, role in (("ada", Role.LEARNER), *((role.value, role) for role in Role)):
            await accounts.create(name, PASSWORD, role, HERE)
            found[name] = await calling((await accounts.login(name, PASSWORD, HERE)).access)
        for owner, scope in KEYS:
            body = {"name": scope.value, "scopes": [scope.value]}
            made = await found[owner].post("/api/v1/keys", json=body)
            found[f"{owner}'s key for {scope}"] = await calling(made.json()["key"])
        yield found


def principal_of(name: str) -> Principal | None:
    """What a caller of `callers` is, as the table of rules sees it."""
    if name == "nobody":
        return None
    if "'s key for " in name:
        owner, scope = name.split("'s key for ")
        return Principal(NOBODYS, Role(owner), frozenset({Scope(scope)}))  # type: ignore[arg-type]
    role = Role.LEARNER if name == "ada" else Role(name)
    return Principal(NOBODYS, role, scopes_of(role))  # type: ignore[arg-type]


def routes_of(app: FastAPI) -> list[Route]:
    places = RouteTable(app.routes).places
    return sorted({(method, place.template) for place in places for method in place.methods})


def filled(template: str, ids: dict[str, str]) -> str:
    for name in (*OWNED, "user_id", "model_id", "path"):
        template = template.replace("{" + name + "}", ids.get(name, NOBODYS))
    assert "{" not in template, f"say in OWNED, or here, whose the id in {template} is"
    return template


async def test_each_caller_meets_its_rule_on_each_route(app: FastAPI) -> None:
    wrong = {}
    async with callers(app) as all_callers:
        for method, template in routes_of(app):
            if template == "/api/v1/auth/logout":
                continue  # it ends the login that the others need
            rule = rule_for(method, template)
            assert rule is not None, template
            for name, client in all_callers.items():
                answer = await client.request(method, filled(template, {}), json={})
                who = principal_of(name)
                if rule.scope is None or (who is not None and rule.permits(who)):
                    as_it_should = answer.status_code not in (401, 403)
                else:
                    as_it_should = answer.status_code == (401 if who is None else 403)
                if not as_it_should and template != "/api/v1/auth/register":
                    wrong[name, method, template] = answer.status_code
    assert wrong == {}


async def test_what_is_anothers_is_not_there(app: FastAPI) -> None:
    taking_ids = [(m, t) for m, t in routes_of(app) if any("{" + name + "}" in t for name in OWNED)]
    assert len(taking_ids) == len([key for key in RULES if any("{" + name + "}" in key[1] for name in OWNED)])
    async with callers(app) as all_callers:
        ada = all_callers["ada"]
        ids = await things_of(ada)
        before = await seen(ada, ids)
        for name in ("learner", "teacher", "operator"):
            for method, template in taking_ids:
                answer = await all_callers[name].request(
                    method, filled(template, ids), json=BODIES.get((method, template))
                )
                assert answer.status_code == 404, (name, method, template)
                assert answer.json()["error"]["code"].endswith("_NOT_FOUND")
                same = await all_callers[name].request(
                    method, filled(template, {}), json=BODIES.get((method, template))
                )
                assert said(same, NOBODYS) == said(answer, *ids.values()), "it tells that there is one"
        own = (await all_callers["learner"].post("/api/v1/chat/sessions")).json()["id"]
        path = f"/api/v1/chat/sessions/{own}/messages/{ids['message_id']}"
        assert (await all_callers["learner"].delete(path)).status_code == 404
        assert await seen(ada, ids) == before
        for method, template in [route for route in taking_ids if route[0] != "DELETE"]:
            assert (await ada.request(method, filled(template, ids))).status_code != 404


async def things_of(client: httpx.AsyncClient) -> dict[str, str]:
    session = (await client.post("/api/v1/chat/sessions", json={"title": "Mine"})).json()["id"]
    said = await client.post(
        f"/api/v1/chat/sessions/{session}/messages", json={"role": "user", "content": "Hello"}
    )
    job = await client.post("/api/v1/jobs", json={"prompts": ["One"]})
    key = await client.post("/api/v1/keys", json={"name": "one", "scopes": ["jobs"]})
    return {
        "session_id": session,
        "message_id": said.json()["id"],
        "job_id": job.json()["job_id"],
        "key_id": key.json()["key_id"],
    }


async def seen(client: httpx.AsyncClient, ids: dict[str, str]) -> tuple[Any, ...]:
    session = (await client.get(f"/api/v1/chat/sessions/{ids['session_id']}")).json()
    keys = [key["key_id"] for key in (await client.get("/api/v1/keys")).json()]
    return session, keys


def said(answer: httpx.Response, *ids: str) -> tuple[int, str, str]:
    error = answer.json()["error"]
    message = error["message"]
    for id in ids:
        message = message.replace(id, "…")
    return answer.status_code, error["code"], message
