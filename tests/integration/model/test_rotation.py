"""The provider's key is rotated under load, and no call fails."""

from pathlib import Path
from secrets import token_hex

import httpx
import pytest

from prodigon_lib.core.settings import load_settings
from prodigon_lib.model.app import create_app
from prodigon_lib.model.settings import ModelSettings
from tests.fakes.groq_server import GroqServer
from tests.integration.rotated import Load, write_secret
from tests.integration.serving import serving

ASK = {"prompt": "Hello?", "max_tokens": 7}
ROTATIONS = 4


async def ask(http: httpx.AsyncClient, number: int) -> str:
    """Every other caller wants a stream."""
    path = "/inference/stream" if number % 2 else "/inference"
    answer = await http.post(path, json=ASK)
    whole = answer.status_code == 200 and (path == "/inference" or "[DONE]" in answer.text)
    return "fine" if whole else answer.text


def fresh_key(groq: GroqServer) -> str:
    key = f"gsk_{token_hex(26)}"
    groq.keys.add(key)
    return key


@pytest.mark.parametrize("provider", ["groq", "openai_compatible"])
async def test_no_call_fails_while_the_key_is_rotated(
    provider: str, groq: GroqServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old key ends as soon as the new one is written down: its refusal has the new one read."""
    name = "groq_api_key" if provider == "groq" else "openai_compatible_key"
    address = (
        ("GROQ_BASE_URL", groq.url) if provider == "groq" else ("OPENAI_COMPATIBLE_URL", f"{groq.url}/v1")
    )
    for setting, value in (address, ("SECRETS_DIR", str(tmp_path)), ("PRODIGON_ENV_FILE", "")):
        monkeypatch.setenv(setting, value)
    monkeypatch.setattr("prodigon_lib.core.rotation.ASKED_AGAIN_SECONDS", 0)
    key = fresh_key(groq)
    write_secret(tmp_path / name, key)
    app = create_app(load_settings(ModelSettings))
    async with serving(app) as url, Load(url).running(ask, 8) as load:
        for _ in range(ROTATIONS):
            await load.go_on()
            key, old = fresh_key(groq), key
            write_secret(tmp_path / name, key)
            groq.keys.discard(old)
        await load.go_on()
    assert set(load.seen) == {"fine"}
    assert groq.keys >= {key}


async def test_a_key_that_is_wrong_for_good_is_told_once_a_call(
    groq: GroqServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting, value in (
        ("GROQ_BASE_URL", groq.url),
        ("SECRETS_DIR", str(tmp_path)),
        ("PRODIGON_ENV_FILE", ""),
    ):
        monkeypatch.setenv(setting, value)
    write_secret(tmp_path / "groq_api_key", "gsk_wrong")
    async with (
        serving(create_app(load_settings(ModelSettings))) as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        answer = await http.post("/inference", json=ASK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "UPSTREAM_REJECTED")
