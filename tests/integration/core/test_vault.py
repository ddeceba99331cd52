"""A Vault-compatible server as a source of secrets, through the official client."""

from collections.abc import Iterator
from pathlib import Path

import hvac
import pytest

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.settings import DatabaseSettings, load_settings
from prodigon_lib.model.settings import ModelSettings
from tests.fakes.vault_server import VaultServer, vault_server

KEY = "a-key-of-the-test"
PATH = "secret/prodigon"


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[VaultServer]:
    monkeypatch.chdir(tmp_path)
    with vault_server() as vault:
        monkeypatch.setenv("VAULT_ADDR", vault.url)
        monkeypatch.setenv("VAULT_TOKEN", vault.token)
        yield vault


def groq_key() -> str | None:
    key = load_settings(ModelSettings).groq_api_key
    return key.get_secret_value() if key else None


def test_the_newest_version_of_the_record_is_used(vault: VaultServer) -> None:
    client = hvac.Client(url=vault.url, token=vault.token)
    for key in ("an-old-key", KEY):
        client.secrets.kv.v2.create_or_update_secret("prodigon", {"GROQ_API_KEY": key})
    client.adapter.close()
    assert groq_key() == KEY


def test_names_in_small_letters_do_too(vault: VaultServer) -> None:
    vault.write(PATH, {"groq_api_key": KEY})
    assert groq_key() == KEY


def test_the_record_is_read_once_for_all_settings(vault: VaultServer) -> None:
    vault.write(PATH, {"DATABASE_URL": "postgresql://h/d", "REDIS_URL": "redis://h"})
    settings = load_settings(DatabaseSettings)
    assert None not in (settings.database_url, settings.redis_url)
    assert vault.reads == 1


def test_another_record_is_another_mount_and_path(
    vault: VaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_PATH", "team/apps/prodigon")
    vault.write("team/apps/prodigon", {"GROQ_API_KEY": KEY})
    assert groq_key() == KEY


def test_the_token_may_come_from_a_file(
    vault: VaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    with pytest.raises(SettingsError, match=r"^VAULT_TOKEN must be set"):
        groq_key()
    (tmp_path / "vault_token").write_text(f"{vault.token}\n")
    vault.write(PATH, {"GROQ_API_KEY": KEY})
    assert groq_key() == KEY


def test_what_comes_before_it_wins(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.write(PATH, {"GROQ_API_KEY": KEY})
    monkeypatch.setenv("GROQ_API_KEY", "of-the-environment")
    assert groq_key() == "of-the-environment"


def test_a_record_that_nobody_wrote_or_that_was_deleted_has_no_secrets(vault: VaultServer) -> None:
    assert groq_key() is None
    vault.write(PATH, {"GROQ_API_KEY": KEY})
    vault.delete(PATH)
    assert groq_key() is None


def test_a_wrong_token_is_named_and_not_shown(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "a-wrong-token")
    with pytest.raises(SettingsError, match=r"^VAULT_TOKEN: ") as refused:
        groq_key()
    assert "a-wrong-token" not in refused.value.message


def test_a_server_that_fails_stops_the_start_in_one_line(vault: VaultServer) -> None:
    vault.fault = 503
    with pytest.raises(SettingsError, match=f"^VAULT_ADDR: {vault.url}: VaultDown$"):
        groq_key()


def test_a_server_that_is_away_stops_the_start_in_one_line(
    vault: VaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    with pytest.raises(SettingsError, match=r"^VAULT_ADDR: http://127.0.0.1:1: ConnectionError$"):
        groq_key()


def test_an_address_is_checked(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "vault.example")
    with pytest.raises(SettingsError, match="VAULT_ADDR"):
        groq_key()
