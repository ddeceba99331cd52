"""The environment of a service: its own settings, and nothing that it does not need."""

import pytest

from prodigon_lib.core.settings import secret_names
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.monolith.settings import MonolithSettings
from prodigon_lib.stack.environment import (
    found_settings,
    secret_settings,
    service_environment,
    setting_names,
)
from prodigon_lib.worker.settings import WorkerSettings


@pytest.mark.parametrize("kind", [GatewaySettings, ModelSettings, WorkerSettings, MonolithSettings])
def test_names_read_from_the_source_are_those_of_the_class(kind: type) -> None:
    service = kind.__name__.removesuffix("Settings").lower()
    assert setting_names(service) == {name.upper() for name in kind.model_fields}


@pytest.mark.parametrize("kind", [GatewaySettings, ModelSettings, WorkerSettings])
def test_secrets_read_from_the_source_are_those_of_the_class(kind: type) -> None:
    own = {name.upper() for name in kind.model_fields}
    assert secret_settings() & own == {name.upper() for name in secret_names(kind)} != set()


def test_what_is_given_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("LOG_LEVEL=ERROR\nDEFAULT_MODEL=from-file\nFALLBACK_MODEL=from-file\n")
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    monkeypatch.setenv("DEFAULT_MODEL", "from-environment")
    assert found_settings({"LOG_LEVEL": "DEBUG"}) == {
        "LOG_LEVEL": "DEBUG",
        "DEFAULT_MODEL": "from-environment",
        "FALLBACK_MODEL": "from-file",
    }


def test_an_empty_value_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert "DATABASE_URL" not in found_settings({})


def test_a_service_gets_only_what_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for us")
    settings = {"GROQ_API_KEY": "a-key", "LOG_LEVEL": "DEBUG"}
    decided = {"DATABASE_URL": "postgresql://postgres@/prodigon?host=/s", "MODEL_SERVICE_URL": "http://m"}
    gateway = service_environment("gateway", settings, decided)
    model = service_environment("model", settings, decided)
    assert "GROQ_API_KEY" not in gateway
    assert "DATABASE_URL" not in model
    assert model["GROQ_API_KEY"] == "a-key"
    assert gateway["MODEL_SERVICE_URL"] == "http://m"
    assert gateway["LOG_LEVEL"] == model["LOG_LEVEL"] == "DEBUG"
    assert not any("AWS" in name for name in {**gateway, **model})
