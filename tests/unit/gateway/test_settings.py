"""The gateway's settings: what is accepted, and the line that a wrong one ends in."""

import runpy
from pathlib import Path

import pytest

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway.settings import GatewaySettings


def test_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = GatewaySettings(_env_file=None)
    assert settings.model_service_url == "http://127.0.0.1:8001"
    assert settings.worker_service_url == "http://127.0.0.1:8002"
    assert settings.allowed_origins == ()


ORIGINS = [
    ("*", ("*",)),
    ("http://localhost:3000, https://example.org/", ("http://localhost:3000", "https://example.org")),
    (" ,", ()),
]


@pytest.mark.parametrize(("value", "origins"), ORIGINS)
def test_origins(value: str, origins: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", value)
    assert GatewaySettings(_env_file=None).allowed_origins == origins


WRONG = [
    ("ALLOWED_ORIGINS", "localhost"),
    ("ALLOWED_ORIGINS", "http://localhost/path"),
    ("MODEL_SERVICE_URL", "127.0.0.1:8001"),
    ("MODEL_SERVICE_URL", "http://a,ftp://b"),
    ("WORKER_SERVICE_URL", ","),
    ("GENERATE_SECONDS", "0"),
    ("GENERATE_SECONDS", "soon"),
    ("CHAT_HISTORY_MESSAGES", "0"),
    ("DATABASE_POOL_SIZE", "0"),
    ("LOG_LEVEL", "LOUD"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings(GatewaySettings)


def test_the_service_ends_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://somewhere/x")
    main = Path(__file__).parents[3] / "services" / "gateway" / "main.py"
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(main))
    assert str(ended.value).startswith("gateway: DATABASE_URL: must begin with postgresql://")
    assert "\n" not in str(ended.value)
