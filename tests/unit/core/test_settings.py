"""Settings: the environment first, then `.env`; a wrong one is named in one line."""

from pathlib import Path

import pytest

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.settings import DatabaseSettings, Settings, load_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_environment_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("LOG_LEVEL=ERROR\nMAX_BODY_BYTES=2048\n")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    settings = load_settings(Settings)
    assert (settings.log_level, settings.max_body_bytes) == ("DEBUG", 2048)


def test_an_empty_setting_is_an_absent_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "")
    assert load_settings(Settings).environment == "development"


@pytest.mark.parametrize(
    ("name", "value"), [("LOG_LEVEL", "loud"), ("MAX_BODY_BYTES", "1"), ("ENVIRONMENT", "prod")]
)
def test_a_wrong_value_is_named_as_the_environment_spells_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        load_settings(Settings)
    assert "\n" not in caught.value.message


def test_production_says_what_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        load_settings(DatabaseSettings)


def test_a_secret_is_in_no_repr(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:pass-word@h/d")
    assert "pass-word" not in repr(load_settings(DatabaseSettings))
