"""What the tests have in common that fuzz a gateway from its own OpenAPI document."""

from contextlib import contextmanager
from dataclasses import dataclass

import requests
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.conftest import new_database

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


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
