"""A secret is read again when it was rotated, and no more often than that takes."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from prodigon_lib.core import rotation
from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.rotation import RotatingSecret, Secrets
from prodigon_lib.core.settings import Settings, load_settings
from prodigon_lib.model.settings import ModelSettings
from tests.polling import eventually


class Sources:
    """Has a value, or a fault, and counts who asks."""

    def __init__(self) -> None:
        self.value: str | None = "old"
        self.away = False
        self.asked = 0

    def __call__(self) -> str | None:
        self.asked += 1
        if self.away:
            raise SettingsError("VAULT_ADDR: away")
        return self.value


@pytest.fixture
def sources() -> Sources:
    return Sources()


@pytest.fixture
def secret(sources: Sources) -> RotatingSecret:
    return RotatingSecret("KEY", "old", sources)


async def test_of_many_that_were_refused_one_asks(secret: RotatingSecret, sources: Sources) -> None:
    sources.value = "new"
    assert await asyncio.gather(*(secret.other_than("old") for _ in range(20))) == ["new"] * 20
    assert sources.asked == 1


async def test_what_is_wrong_for_good_is_not_read_with_every_refusal(
    secret: RotatingSecret, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "ASKED_AGAIN_SECONDS", 1000)
    assert [await secret.other_than("old") for _ in range(20)] == [None] * 20
    assert sources.asked == 1


async def test_a_new_one_that_is_not_taken_yet_gives_way_to_the_one_before(
    secret: RotatingSecret, sources: Sources
) -> None:
    sources.value = "new"
    await secret.refresh()
    assert await secret.other_than("new") == "old"
    assert secret.now == "new"


@pytest.mark.parametrize("fault", ["lost", "away"])
async def test_sources_that_know_nothing_leave_it_as_it_is(
    secret: RotatingSecret, sources: Sources, fault: str
) -> None:
    sources.value, sources.away = None, fault == "away"
    await secret.refresh()
    assert secret.now == "old"
    assert await secret.other_than("old") is None


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("PRODIGON_ENV_FILE", "")
    path = tmp_path / "groq_api_key"
    write(path, "first")
    return path


def write(path: Path, value: str) -> None:
    path.write_text(f"{value}\n", encoding="utf-8")


async def test_a_hangup_reads_the_file_again(file: Path) -> None:
    secrets = Secrets(1000)
    key = secrets.rotating(load_settings(ModelSettings), "groq_api_key")
    assert key is not None
    async with secrets.watching():
        write(file, "second")
        os.kill(os.getpid(), signal.SIGHUP)
        await eventually(lambda: key.now == "second")


async def test_now_and_then_it_is_read_again(file: Path) -> None:
    secrets = Secrets(0.05)
    key = secrets.rotating(load_settings(ModelSettings), "groq_api_key")
    assert key is not None
    async with secrets.watching():
        write(file, "second")
        await eventually(lambda: key.now == "second")
        write(file, "not printable \u2026")  # refused by the settings
        await eventually(lambda: key.now == "second")
        write(file, "third")
        await eventually(lambda: key.now == "third")


async def test_settings_that_were_given_are_not_read_again(file: Path) -> None:
    secrets = Secrets(0.01)
    key = secrets.rotating(ModelSettings(_env_file=None, groq_api_key="given"), "groq_api_key")
    assert key is not None
    async with secrets.watching():
        assert await key.other_than("given") is None
    assert Settings(_env_file=None).load_again is None


async def test_what_is_of_no_use_is_not_taken(file: Path) -> None:
    def check(value: str) -> None:
        if value == "wrong":
            raise SettingsError("GROQ_API_KEY: wrong")

    key = Secrets(1000).rotating(load_settings(ModelSettings), "groq_api_key", check)
    assert key is not None
    write(file, "wrong")
    await key.refresh()
    assert key.now == "first"
