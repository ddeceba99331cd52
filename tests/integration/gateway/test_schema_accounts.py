"""A gateway with accounts on, fuzzed on all its routes: as nobody, as a learner and as an operator.

Asserted as in `test_schema`. What is drawn is sent once more with ids of the caller's own things, and where a
route takes a password or a token, with the right one: else nothing but refusals would be looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import Phase

from prodigon_lib.cli.accounts import with_keeper
from prodigon_lib.core.principal import Role
from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.security import composition
from tests.integration.gateway.conftest import settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.gateway.fuzzing import CHECKS, Fuzzed, a_database, repeatable, session
from tests.integration.gateway.identity_provider import about, an_identity_provider
from tests.integration.gateway.threads import serving_in_thread
from tests.integration.security.conftest import quick_passwords

PASSWORD = "tide-lantern-fig"  # pragma: allowlist secret
AUTH = "/api/v1/auth"
ENDING = (f"{AUTH}/logout", f"{AUTH}/password", f"{AUTH}/refresh")
"""Whoever calls one of them may have no good credential afterwards."""

nobodys = parse_database_url("postgresql://127.0.0.1/none")
schema = schemathesis.openapi.from_dict(
    create_app(settings_for(nobodys, **about("http://127.0.0.1:9"))).openapi()
)


@dataclass
class Person(Fuzzed):
    """An account, logged in."""

    name: str
    refresh_token: str = field(repr=False)

    def existing(self, parameters: dict[str, object]) -> dict[str, str]:
        known = super().existing(parameters)
        if "key_id" in parameters:
            known["key_id"] = self._made("/api/v1/keys", {"name": "one", "scopes": ["jobs"]})["key_id"]
        return known

    def right_body(self, path: str) -> dict[str, str] | None:
        return {
            f"{AUTH}/login": {"name": self.name, "password": PASSWORD},
            f"{AUTH}/refresh": {"refresh_token": self.refresh_token},
            f"{AUTH}/password": {"current_password": PASSWORD, "new_password": f"{PASSWORD}-2"},
        }.get(path)


class People:
    """Makes accounts, and keeps one of each role for as long as it is good."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = count()
        self._boss = self._logged_in("boss")
        self._known: dict[Role, Person] = {}
        self.nobody = Fuzzed(url, session())
        self.nobody.http.headers["Authorization"] = "Bearer nobodys"

    def of(self, role: Role, path: str) -> Person:
        if role not in self._known or path in ENDING:
            self._known[role] = self.new(role)
        return self._known[role]

    def new(self, role: Role) -> Person:
        name = f"{role}-{next(self._numbers)}"
        id = self.register(name)
        changed = self._boss.http.patch(f"{self.url}/api/v1/accounts/{id}", json={"role": role}, timeout=10)
        assert changed.ok
        return self._logged_in(name)

    def somebody(self) -> str:
        """The id of an account that nobody here calls with."""
        return self.register(f"somebody-{next(self._numbers)}")

    def register(self, name: str) -> str:
        body = {"name": name, "password": PASSWORD}
        answer = requests.post(f"{self.url}{AUTH}/register", json=body, timeout=10)
        assert answer.ok
        return answer.json()["id"]

    def _logged_in(self, name: str) -> Person:
        http, body = session(), {"name": name, "password": PASSWORD}
        answer = http.post(f"{self.url}{AUTH}/login", json=body, timeout=10)
        assert answer.ok
        tokens = answer.json()
        http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return Person(self.url, http, name, tokens["refresh_token"])


@pytest.fixture(scope="module")
def people(postgres, template) -> Iterator[People]:
    jobs = FakeJobs(finish_at_once=True)
    with (
        a_database(postgres, template) as database,
        an_identity_provider() as provider,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(composition, "Passwords", quick_passwords)
        with_keeper(database, lambda keeper: keeper.create("boss", PASSWORD, Role.OPERATOR))
        settings = settings_for(database, **about(provider), token_quota=10**12)
        with serving_in_thread(partial(create_app, settings, model=FakeModel(), jobs=jobs)) as url:
            yield People(url)


@schema.parametrize()
@repeatable(6, Phase.generate)
def test_with_accounts_on_it_keeps_to_its_document(case, people: People) -> None:
    send(case, people.nobody)
    callers = [people.of(role, case.path) for role in (Role.LEARNER, Role.OPERATOR)]
    for caller in callers:
        send(case, caller)
    for caller in callers:
        if put_right(case, caller, people):
            send(case, caller)


def send(case: Any, caller: Fuzzed) -> None:
    """With the caller's credential, not a drawn one. A redirect to the provider is not followed."""
    case.call_and_validate(
        base_url=caller.url,
        headers={"Authorization": caller.http.headers["Authorization"]},
        session=caller.http,
        allow_redirects=False,
        checks=CHECKS,
    )


def put_right(case: Any, caller: Person, people: People) -> bool:
    """Put what is there in place of what was drawn; whether anything of that kind is asked."""
    parameters = case.path_parameters or {}
    existing = caller.existing(parameters)
    if "user_id" in parameters:
        existing["user_id"] = people.somebody()
    parameters.update(existing)
    if (body := caller.right_body(case.path)) is not None:
        case.body = body
    return bool(existing) or body is not None
