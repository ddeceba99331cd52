"""A wrong setting stops the start, with its name."""

import pytest

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.settings import load_settings
from prodigon_lib.worker.app import create_app
from prodigon_lib.worker.settings import QueueType, WorkerSettings

URL = "postgresql://user@127.0.0.1/prodigon"


def test_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    settings = load_settings(WorkerSettings)
    assert (settings.queue_type, settings.lease_seconds) == (QueueType.POSTGRES, 30.0)
    assert (settings.max_queued_prompts, settings.model_service_url) == (100_000, "http://127.0.0.1:8001")
    assert settings.worker_name


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("QUEUE_TYPE", "rabbit", "QUEUE_TYPE"),
        ("MODEL_SERVICE_URL", "model:8001", "MODEL_SERVICE_URL"),
        ("LEASE_SECONDS", "0", "LEASE_SECONDS"),
        ("WORKER_CONCURRENCY", "many", "WORKER_CONCURRENCY"),
        ("MAX_ATTEMPTS", "0", "MAX_ATTEMPTS"),
        ("DATABASE_URL", "mysql://host/db", "DATABASE_URL"),
        ("QUEUE_TYPE", "redis", "REDIS_URL must be set when QUEUE_TYPE=redis"),
        ("DATABASE_URL", "", "DATABASE_URL must be set when QUEUE_TYPE=postgres"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said):
        create_app()


def test_memory_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_TYPE", "memory")
    assert load_settings(WorkerSettings).database_url is None
