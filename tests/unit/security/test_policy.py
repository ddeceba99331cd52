"""The table of rules, against the routes that there are."""

from dataclasses import replace

import pytest
from fastapi import FastAPI

from prodigon_lib.core.http.matching import RouteTable
from prodigon_lib.core.principal import Role, Scope
from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.monolith.app import create_app as create_monolith
from prodigon_lib.monolith.settings import MonolithSettings
from prodigon_lib.security.envelope_keys import draw_envelope_key
from prodigon_lib.security.policy import RULES, rule_for, sees_all_accounts
from tests.fakes.authenticator import ADA, FakeAuthenticator, api_key, login


def with_accounts() -> GatewaySettings:
    """Whose database nobody asks."""
    keys, database = draw_envelope_key("test"), "postgresql://127.0.0.1/none"
    here = "http://127.0.0.1"
    oidc = {"issuer": here, "client_id": "x", "client_secret": "x", "redirect_url": here}
    return GatewaySettings(
        _env_file=None,
        auth="accounts",
        envelope_keys=keys,
        database_url=database,
        **{f"oidc_{name}": value for name, value in oidc.items()},
    )


@pytest.fixture(scope="module")
def gateway() -> FastAPI:
    return create_app(with_accounts(), authenticator=FakeAuthenticator())


@pytest.fixture(scope="module")
def monolith() -> FastAPI:
    return create_monolith(MonolithSettings(_env_file=None, use_mock=True, queue_type="memory"))


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    places = RouteTable(app.routes).places
    return {(method, place.template) for place in places for method in place.methods if method != "HEAD"}


def test_each_route_has_a_rule(gateway: FastAPI, monolith: FastAPI) -> None:
    assert routes_of(gateway) | routes_of(monolith) <= set(RULES)


def test_each_rule_has_a_route(gateway: FastAPI, monolith: FastAPI) -> None:
    assert set(RULES) <= routes_of(gateway) | routes_of(monolith)


def test_a_route_that_is_new_is_missed() -> None:
    app = create_app(GatewaySettings(_env_file=None))
    app.add_api_route("/api/v1/new/{id}", lambda id: id, methods=["PUT"])
    assert routes_of(app) - set(RULES) == {("PUT", "/api/v1/new/{id}")}


def test_what_is_for_everybody_reads_nothing_of_anybody() -> None:
    """Whoever adds to this list says why in the review."""
    assert {template for (_, template), rule in RULES.items() if rule.scope is None} == {
        "/health", "/health/live", "/health/ready", "/docs", "/docs/assets/{path}", "/openapi.json",
        "/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh",
        "/api/v1/auth/oidc/login", "/api/v1/auth/oidc/callback",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "register", "403"),
        ("post", "login", "401"),
        ("post", "refresh", "401"),
        ("get", "oidc/callback", "401"),
    ],
)
def test_the_document_says_how_a_route_for_everybody_refuses(
    gateway: FastAPI, method: str, path: str, status: str
) -> None:
    answers = gateway.openapi()["paths"][f"/api/v1/auth/{path}"][method]["responses"]
    assert answers[status]["content"] == answers["404"]["content"]


@pytest.mark.parametrize("template", sorted({template for _, template in RULES}))
def test_only_the_methods_of_the_table_have_a_rule(template: str) -> None:
    given = {method for method, other in RULES if other == template}
    for method in ("PUT", "PATCH", "DELETE", "POST", "OPTIONS", "TRACE"):
        assert (rule_for(method, template) is not None) == (method in given)
    assert rule_for("HEAD", template) == rule_for("GET", template)


def test_a_key_is_good_for_its_scopes_alone() -> None:
    jobs = api_key(ADA, Scope.JOBS)
    permitted = {key for key, rule in RULES.items() if rule.scope and rule.permits(jobs)}
    assert permitted == {key for key, rule in RULES.items() if rule.scope is Scope.JOBS}


@pytest.mark.parametrize("role", Role)
def test_what_runs_the_system_is_the_operators(role: Role) -> None:
    permitted = rule_for("GET", "/metrics").permits(login(ADA, role))  # type: ignore[union-attr]
    assert permitted == (role is Role.OPERATOR)


@pytest.mark.parametrize("role", Role)
def test_a_role_adds_this_to_what_a_learner_may(role: Role) -> None:
    """Whoever adds to this table says why in the review."""
    learner, who = login(ADA), login(ADA, role)
    more = {key for key, rule in RULES.items() if rule.permits(who) and not rule.permits(learner)}
    operators = {key for key, rule in RULES.items() if rule.scope is Scope.ADMIN}
    listing = {("GET", "/api/v1/accounts")}
    assert more == {"learner": set(), "teacher": listing, "operator": listing | operators}[role]


def test_all_accounts_are_for_an_operator_whose_credential_is_good_for_it() -> None:
    assert sees_all_accounts(login(ADA, Role.OPERATOR))
    assert not sees_all_accounts(login(ADA, Role.TEACHER))
    assert not sees_all_accounts(api_key(ADA, *Scope))
    assert not sees_all_accounts(replace(login(ADA, Role.OPERATOR), scopes=frozenset({Scope.LEARNERS})))


def test_a_scope_without_the_role_is_not_enough() -> None:
    rule = rule_for("GET", "/metrics")
    assert rule is not None
    assert not rule.permits(api_key(ADA, *Scope))
