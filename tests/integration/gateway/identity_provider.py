"""A real OIDC provider on this machine, and the settings of a gateway that knows it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from prodigon_lib.security.envelope_keys import draw_envelope_key
from tests.integration.worker.processes import free_port
from tests.polling import eventually_sync

BACK = "http://127.0.0.1:8000/api/v1/auth/oidc/callback"
ADA = '{"sub": "ada-1", "preferred_username": "Ada", "email": "ada@example.org"}'
IMPOSTOR = '{"sub": "ada-2", "preferred_username": "Ada", "email": "ada@example.org"}'


@contextmanager
def an_identity_provider() -> Iterator[str]:
    """Its address. In a process of its own: its library warns, and here a warning is an error."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "oidc_provider_mock", "-p", str(port), "--require-nonce", "true"]
    process = subprocess.Popen(
        [*command, "--user-claims", ADA, "--user-claims", IMPOSTOR],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def up() -> bool:
        try:
            return httpx.get(f"{url}/.well-known/openid-configuration", trust_env=False).is_success
        except httpx.TransportError:
            return False

    try:
        eventually_sync(up, within=60)
        yield url
    finally:
        process.kill()
        process.wait()


def about(provider: str) -> dict[str, Any]:
    return {
        "auth": "accounts",
        "envelope_keys": draw_envelope_key("test"),
        "oidc_issuer": provider,
        "oidc_client_id": "prodigon",
        "oidc_client_secret": "a secret & more",  # pragma: allowlist secret
        "oidc_redirect_url": BACK,
    }
