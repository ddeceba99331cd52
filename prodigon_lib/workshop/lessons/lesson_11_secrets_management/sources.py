"""Stand-ins for what a laptop may lack: a keyring in memory, and as much of a Vault as a reader needs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI, Header, Response

from prodigon_lib.workshop.serving import serve


@contextmanager
def keyring_in_memory(secrets: Mapping[str, str]) -> Iterator[None]:
    """While the block runs, the system's keyring has these and no others, whatever the service's name."""
    import keyring
    from keyring.backend import KeyringBackend

    class InMemory(KeyringBackend):
        priority = 1.0

        def get_password(self, service: str, username: str) -> str | None:
            return secrets.get(username)

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError("it is for reading")

    before = keyring.get_keyring()
    backend: Any = InMemory  # the package says nothing of what makes one
    keyring.set_keyring(backend())
    try:
        yield
    finally:
        keyring.set_keyring(before)


@contextmanager
def small_vault(token: str, path: str, record: Mapping[str, str]) -> Iterator[str]:
    """The address of a server that shows one record, in a key-value engine of version 2, for its token."""
    mount, _, name = path.partition("/")
    app = FastAPI(openapi_url=None)

    @app.get(f"/v1/{mount}/data/{name}")
    def read(response: Response, x_vault_token: str = Header("")) -> dict[str, object]:
        if x_vault_token != token:
            response.status_code = 403
            return {"errors": ["permission denied"]}
        return {"data": {"data": dict(record), "metadata": {"version": 1}}}

    with serve(app) as served:
        yield served.url
