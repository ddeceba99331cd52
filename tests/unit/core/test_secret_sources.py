"""Where secrets come from, in which order, and what is said when a source can't be asked."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked
from pydantic import SecretStr

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.secret_sources import (
    EnvironmentSecrets,
    KeyringSecrets,
    SecretFiles,
    find_secret,
    secret_sources,
)
from prodigon_lib.core.settings import DatabaseSettings, Settings, load_settings, secret_names
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.model.settings import ModelSettings

KEY = "a-key-of-the-test"


class HeldKeyring(KeyringBackend):
    """A keyring in memory, which can be locked."""

    priority = 1  # type: ignore[assignment]  # the base class has a property there

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("the words of the backend")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture
def held() -> Iterator[HeldKeyring]:
    before, held = keyring.get_keyring(), HeldKeyring()
    keyring.set_keyring(held)
    yield held
    keyring.set_keyring(before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    monkeypatch.setenv("SECRETS_DIR", str(secrets))
    return secrets


def value(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


@pytest.mark.parametrize("name", ["groq_api_key", "GROQ_API_KEY"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_mounted_file_is_a_setting(folder: Path, name: str, end: str) -> None:
    (folder / name).write_text(KEY + end, newline="")
    assert value(load_settings(ModelSettings).groq_api_key) == KEY


def test_files_behind_links_are_read_as_kubernetes_makes_them(folder: Path) -> None:
    (folder / "..2026_11_25").mkdir()
    (folder / "..2026_11_25" / "groq_api_key").write_text(KEY)
    (folder / "..data").symlink_to("..2026_11_25")
    (folder / "groq_api_key").symlink_to("..data/groq_api_key")
    assert value(load_settings(ModelSettings).groq_api_key) == KEY


def test_sources_are_tried_in_their_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch, held: HeldKeyring
) -> None:
    monkeypatch.setenv("SECRETS_KEYRING", "prodigon")
    held.set_password("prodigon", "GROQ_API_KEY", "of-the-keyring")
    assert value(load_settings(ModelSettings).groq_api_key) == "of-the-keyring"
    (folder / "groq_api_key").write_text("of-the-file")
    assert value(load_settings(ModelSettings).groq_api_key) == "of-the-file"
    (folder.parent / ".env").write_text("GROQ_API_KEY=of-the-dotenv\n")
    assert value(load_settings(ModelSettings).groq_api_key) == "of-the-dotenv"
    monkeypatch.setenv("GROQ_API_KEY", "of-the-environment")
    assert value(load_settings(ModelSettings).groq_api_key) == "of-the-environment"


def test_of_two_folders_the_first_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder.parent / "other"
    other.mkdir()
    (folder / "groq_api_key").write_text(KEY)
    (other / "groq_api_key").write_text("another")
    (other / "openai_compatible_key").write_text("local")
    monkeypatch.setenv("SECRETS_DIR", f"{folder}, {other}")
    settings = load_settings(ModelSettings)
    assert (value(settings.groq_api_key), value(settings.openai_compatible_key)) == (KEY, "local")


def test_only_secrets_are_asked_for(folder: Path) -> None:
    (folder / "log_level").write_text("loud")
    assert load_settings(Settings).log_level == "INFO"
    assert "database_url" in secret_names(GatewaySettings)
    assert "log_level" not in secret_names(GatewaySettings)


def test_a_secret_of_a_file_is_checked_like_any_other(folder: Path) -> None:
    (folder / "redis_url").write_text("ftp://host")
    with pytest.raises(SettingsError, match=r"^REDIS_URL: must be a redis://"):
        load_settings(DatabaseSettings)


def test_an_empty_file_is_an_absent_secret(folder: Path) -> None:
    (folder / "groq_api_key").write_text("\n")
    assert load_settings(ModelSettings).groq_api_key is None


def test_a_file_that_is_no_text_is_named_and_not_shown(folder: Path) -> None:
    (folder / "groq_api_key").write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(SettingsError, match=r"^GROQ_API_KEY: can't read .*groq_api_key: it is no text$"):
        load_settings(ModelSettings)


def test_a_folder_where_a_file_should_be_stops_the_start(folder: Path) -> None:
    (folder / "groq_api_key").mkdir()
    with pytest.raises(SettingsError, match=r"^GROQ_API_KEY: can't read"):
        load_settings(ModelSettings)


def test_a_folder_that_is_not_there_stops_the_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_DIR", f"{folder},/nowhere")
    with pytest.raises(SettingsError, match=r"^SECRETS_DIR: there is no folder /nowhere$"):
        load_settings(ModelSettings)


def test_a_locked_keyring_stops_the_start_in_words_of_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch, held: HeldKeyring
) -> None:
    monkeypatch.setenv("SECRETS_KEYRING", "prodigon")
    held.locked = True
    with pytest.raises(SettingsError, match=r"^SECRETS_KEYRING: can't be read: KeyringLocked$"):
        load_settings(ModelSettings)


@pytest.mark.parametrize(("module", "setting"), [("keyring", "SECRETS_KEYRING"), ("hvac", "VAULT_ADDR")])
def test_a_package_that_is_missing_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, setting: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv(setting, "http://127.0.0.1:1")
    monkeypatch.setenv("VAULT_TOKEN", "unused")
    with pytest.raises(SettingsError, match=rf"^{setting}: .*prodigon\[secrets\]"):
        load_settings(ModelSettings)


def test_nothing_of_keyring_or_vault_is_loaded_while_they_are_off(folder: Path) -> None:
    script = (
        "import sys; from prodigon_lib.core.settings import *; load_settings(Settings); print(*sys.modules)"
    )
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert not {"keyring", "hvac", "requests", "cryptography"} & set(loaded.split())


def test_a_secret_that_is_no_setting_is_found_too(folder: Path) -> None:
    (folder / "oidc_client_secret").write_text(KEY)
    sources = secret_sources(folders=str(folder))
    assert find_secret(sources, "OIDC_CLIENT_SECRET") == KEY
    assert find_secret(sources, "ANOTHER") is None


def test_no_source_shows_a_secret_of_its_own(held: HeldKeyring) -> None:
    held.set_password("prodigon", "GROQ_API_KEY", KEY)
    sources = [EnvironmentSecrets({"A": KEY}), SecretFiles(Path(os.sep)), KeyringSecrets("prodigon")]
    assert KEY not in "".join(f"{source!r} {source.name}" for source in sources)
