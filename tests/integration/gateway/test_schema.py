"""Every documented endpoint, fuzzed from the gateway's own OpenAPI document.

Asserted: no answer is a 5xx, and none is outside the document: its status, content type, headers and body.
The seed is fixed, so that a run repeats.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from prodigon_lib.gateway.app import create_app
from tests.integration.conftest import new_database
from tests.integration.gateway.conftest import settings_for
from tests.integration.gateway.fakes import CARDS, FakeJobs, FakeModel
from tests.integration.gateway.threads import serving_in_thread

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

schema = schemathesis.openapi.from_dict(create_app(settings_for()).openapi())


@dataclass
class Fuzzed:
    """A running gateway, and how to make the things that its paths name."""

    url: str
    http: requests.Session

    def existing(self, parameters: dict[str, object]) -> dict[str, str]:
        """Ids of things that are there, for the parameters that name one."""
        known: dict[str, str] = {}
        if "session_id" in parameters:
            known["session_id"] = self._made("/api/v1/chat/sessions", {})["id"]
            path = f"/api/v1/chat/sessions/{known['session_id']}/messages"
            known["message_id"] = self._made(path, {"role": "user", "content": "x"})["id"]
        if "job_id" in parameters:
            known["job_id"] = self._made("/api/v1/jobs", {"prompts": ["x"]})["job_id"]
        if "model_id" in parameters:
            known["model_id"] = CARDS[0].id
        return {name: id for name, id in known.items() if name in parameters}

    def _made(self, path: str, body: object) -> dict[str, str]:
        answer = self.http.post(self.url + path, json=body, timeout=10)
        assert answer.ok
        return answer.json()


@pytest.fixture(scope="module")
def fuzzed(postgres, template) -> Iterator[Fuzzed]:
    databases = new_database(postgres, template)
    database = next(databases)
    jobs = FakeJobs(finish_at_once=True)
    app = lambda: create_app(settings_for(database), model=FakeModel(), jobs=jobs)  # noqa: E731
    with serving_in_thread(app) as url, requests.Session() as http:
        http.trust_env = False
        yield Fuzzed(url, http)
    next(databases, None)


@schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_is_outside_the_document(case, fuzzed: Fuzzed) -> None:
    case.call_and_validate(base_url=fuzzed.url, session=fuzzed.http, checks=CHECKS)
    if existing := fuzzed.existing(case.path_parameters or {}):
        case.path_parameters.update(existing)
        case.call_and_validate(base_url=fuzzed.url, session=fuzzed.http, checks=CHECKS)
