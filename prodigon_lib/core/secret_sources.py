"""Where a secret may come from, tried in this order: environment, files, the desktop's keyring, a Vault.

A source that is on and can't be asked stops the start: one that went on to the next in silence might run with
a secret that nobody meant.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from prodigon_lib.core.errors import SettingsError

USUAL_FOLDER = Path("/run/secrets")
"""Where Docker mounts them, and where a manifest may."""

MOST_BYTES = 65536


class SecretSource(Protocol):
    """Something that may know a secret."""

    @property
    def name(self) -> str:
        """For messages; no secret is in it."""
        ...

    def get(self, setting: str) -> str | None:
        """The value of `setting`, spelled as in the environment; `None` when it is not there.

        Raises:
            SettingsError: the source is away, or refuses; the message says which setting mends it.
        """
        ...


@dataclass(frozen=True, slots=True)
class EnvironmentSecrets:
    """The process's own environment. Handy, but every child inherits it and it can't change meanwhile."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    name: str = "the environment"

    def get(self, setting: str) -> str | None:
        return self.environment.get(setting) or None


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """One file a secret, named for its setting in capitals or in small letters."""

    folder: Path

    @property
    def name(self) -> str:
        return f"files in {self.folder}"

    def get(self, setting: str) -> str | None:
        for path in (self.folder / setting, self.folder / setting.lower()):
            try:
                with path.open(encoding="utf-8") as file:
                    text = file.read(MOST_BYTES)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "it is no text"
                raise SettingsError(f"{setting}: can't read {path}: {why}") from None
            return text.rstrip("\r\n") or None  # editors and `echo` end a file with a new line
        return None


@dataclass(frozen=True, slots=True)
class KeyringSecrets:
    """The operating system's keyring: on a laptop, where a file would lie open to every program.

    keyring set prodigon GROQ_API_KEY
    """

    service: str

    @property
    def name(self) -> str:
        return f"the keyring, under {self.service!r}"

    def get(self, setting: str) -> str | None:
        try:
            import keyring
            from keyring.errors import KeyringError
        except ImportError:
            raise SettingsError(
                "SECRETS_KEYRING: needs the package keyring: pip install 'prodigon[secrets]'"
            ) from None
        try:
            return keyring.get_password(self.service, setting) or None
        except KeyringError as error:
            raise SettingsError(f"SECRETS_KEYRING: can't be read: {type(error).__name__}") from None


def secret_sources(
    *,
    folders: str | None = None,
    keyring: str | None = None,
    vault_address: str | None = None,
    vault_token: str | None = None,
    vault_path: str = "",
) -> list[SecretSource]:
    """Those that are on, in their order.

    Args:
        folders: separated by commas; without any, the usual one where it exists.
        vault_token: without it, what the sources before the Vault know of it.

    Raises:
        SettingsError: a folder is not there, or the Vault's token is nowhere.
    """
    named = [Path(part.strip()) for part in (folders or "").split(",") if part.strip()]
    for folder in named:
        if not folder.is_dir():
            raise SettingsError(f"SECRETS_DIR: there is no folder {folder}")
    sources: list[SecretSource] = [EnvironmentSecrets()]
    sources += [SecretFiles(folder) for folder in named or [USUAL_FOLDER]]
    if keyring:
        sources.append(KeyringSecrets(keyring))
    if vault_address:
        from prodigon_lib.core.vault import VaultSecrets

        token = vault_token or find_secret(sources, "VAULT_TOKEN")
        if token is None:
            raise SettingsError("VAULT_TOKEN must be set when VAULT_ADDR is: as a file, at best")
        sources.append(VaultSecrets(vault_address, token, vault_path))
    return sources


def find_secret(sources: Sequence[SecretSource], setting: str) -> str | None:
    """From the first source that knows it."""
    for source in sources:
        if (value := source.get(setting)) is not None:
            return value
    return None
