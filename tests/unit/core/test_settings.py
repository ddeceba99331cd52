"""Settings: the environment first, then `.env`; a wrong one is named in one line."""

from pathlib import Path

import pytest

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.settings import DatabaseSettings, Settings, load_settings
from prodigon_lib.gateway.settings import GatewaySettings


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


def test_production_names_all_that_is_missing_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(SettingsError) as caught:
        load_settings(GatewaySettings)
    assert caught.value.message == (
        "SERVICE_KEYS must be set, DATABASE_URL must be set, AUTH must be accounts, "
        "ENVELOPE_KEYS must be set, TRUSTED_HOSTS must be set when ENVIRONMENT=production"
    )


@pytest.mark.parametrize(
    ("who", "bad"),
    [
        ("prodigon:postgres", True),
        ("prodigon:prodigon", True),
        ("someone:some%6Fne", True),
        ("prodigon:Change-Me", True),
        ("prodigon:0d1c5b", False),
        ("prodigon", False),
    ],
)
def test_production_takes_no_password_that_everybody_knows(
    folder: Path, monkeypatch: pytest.MonkeyPatch, who: str, bad: bool
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://{who}@db/x")
    assert load_settings(DatabaseSettings)
    monkeypatch.setenv("ENVIRONMENT", "production")
    if not bad:
        assert load_settings(DatabaseSettings).in_production
        return
    with pytest.raises(SettingsError, match="DATABASE_URL must have a password that nobody guesses"):
        load_settings(DatabaseSettings)


def test_a_secret_is_in_no_repr(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:pass-word@h/d")
    assert "pass-word" not in repr(load_settings(DatabaseSettings))
