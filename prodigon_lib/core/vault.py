"""A Vault-compatible server as a source of secrets. Apart, as its client takes a while to load."""

from functools import cached_property
from typing import Any

from prodigon_lib.core.errors import SettingsError

ANSWER_SECONDS = 5


class VaultSecrets:
    """One record of a key-value engine, version 2, whose fields are the settings. It is read once.

    vault kv put secret/prodigon GROQ_API_KEY=…
    """

    def __init__(self, address: str, token: str, path: str) -> None:
        """Args: `path` is the engine's mount, then the record's own path."""
        self._address, self._token, self._path = address, token, path

    @property
    def name(self) -> str:
        return f"Vault at {self._address}, {self._path}"

    def get(self, setting: str) -> str | None:
        value = self._record.get(setting, self._record.get(setting.lower()))
        return str(value) if value else None

    @cached_property
    def _record(self) -> dict[str, Any]:
        try:
            import hvac
            from hvac import exceptions
            from requests import RequestException
        except ImportError:
            raise SettingsError(
                "VAULT_ADDR: needs the package hvac: pip install 'prodigon[secrets]'"
            ) from None
        mount, _, path = self._path.strip("/").partition("/")
        client = hvac.Client(url=self._address, token=self._token, timeout=ANSWER_SECONDS)
        try:
            answer = client.secrets.kv.v2.read_secret_version(
                path, mount_point=mount, raise_on_deleted_version=True
            )
            return dict(answer["data"]["data"])
        except exceptions.InvalidPath:
            return {}  # nobody has written it yet, or it was deleted
        except (exceptions.Forbidden, exceptions.Unauthorized):
            raise SettingsError(f"VAULT_TOKEN: the server refuses to show {self._path}") from None
        except (exceptions.VaultError, RequestException, LookupError, TypeError, ValueError) as error:
            raise SettingsError(f"VAULT_ADDR: {self._address}: {type(error).__name__}") from None
        finally:
            client.adapter.close()
