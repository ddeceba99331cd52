"""Every documented endpoint, fuzzed from the gateway's own OpenAPI document.

Asserted: no answer is a 5xx, and none is outside the document: its status, content type, headers and body.
In breadth with a model and jobs that answer whatever is asked, then with the three real services. The seed is
fixed, so that a run repeats.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

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
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.gateway.threads import running_in_thread, serving_in_thread
from tests.integration.gateway.whole import whole_system

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
            known["model_id"] = self.http.get(f"{self.url}/v1/models", timeout=10).json()["data"][0]["id"]
        return {name: id for name, id in known.items() if name in parameters}

    def _made(self, path: str, body: object) -> dict[str, str]:
        answer = self.http.post(self.url + path, json=body, timeout=10)
        assert answer.ok
        return answer.json()


@pytest.fixture(scope="module")
def gateway(postgres, template) -> Iterator[Fuzzed]:
    jobs = FakeJobs(finish_at_once=True)
    with a_database(postgres, template) as database:
        build = partial(create_app, settings_for(database), model=FakeModel(), jobs=jobs)
        with serving_in_thread(build) as url, session() as http:
            yield Fuzzed(url, http)


@pytest.fixture(scope="module")
def system(postgres, template) -> Iterator[Fuzzed]:
    with (
        a_database(postgres, template) as database,
        running_in_thread(lambda: whole_system(database)) as url,
        session() as http,
    ):
        yield Fuzzed(url, http)


a_database = contextmanager(new_database)


def session() -> requests.Session:
    http = requests.Session()
    http.trust_env = False
    return http


def repeatable(examples: int, *phases: Phase) -> settings:
    return settings(
        max_examples=examples,
        phases=phases,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def check(case, fuzzed: Fuzzed) -> None:
    """As it was drawn, then once more with ids of what is there."""
    case.call_and_validate(base_url=fuzzed.url, session=fuzzed.http, checks=CHECKS)
    if existing := fuzzed.existing(case.path_parameters or {}):
        case.path_parameters.update(existing)
        case.call_and_validate(base_url=fuzzed.url, session=fuzzed.http, checks=CHECKS)


@schema.parametrize()
@repeatable(10, Phase.explicit, Phase.generate)
def test_the_gateway_keeps_to_its_document(case, gateway: Fuzzed) -> None:
    check(case, gateway)


# The worker, in another thread of this process, draws its jitter while Hypothesis looks for randomness.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@schema.parametrize()
@repeatable(4, Phase.generate)
def test_the_whole_system_keeps_to_the_document(case, system: Fuzzed) -> None:
    check(case, system)
