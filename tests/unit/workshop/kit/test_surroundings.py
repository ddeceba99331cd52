"""A check's process gets the variables that are named, and no other."""

import sysconfig
from pathlib import Path

import pytest

from prodigon_lib.core.locations import PACKAGE
from prodigon_lib.workshop.checks.surroundings import KEPT, environment


def test_only_what_is_named_passes() -> None:
    secrets = {"GROQ_API_KEY", "AWS_SECRET_ACCESS_KEY", "REDIS_URL"}
    given = dict.fromkeys({"PATH", "HOME", "LC_ALL", *secrets}, "x")
    passed = environment("tag", Path("/scratch"), given)
    assert passed["PATH"] == passed["HOME"] == passed["LC_ALL"] == "x"
    assert not secrets & passed.keys()
    assert passed["USE_MOCK"] == "true"


def test_an_installed_library_is_not_put_before_the_standard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment("tag", Path("/scratch"), {"PYTHONPATH": "/mine"})["PYTHONPATH"].endswith("/mine")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(PACKAGE.parent))
    assert environment("tag", Path("/scratch"), {"PYTHONPATH": "/mine"})["PYTHONPATH"] == "/mine"


def test_no_name_that_may_pass_sounds_like_a_secret() -> None:
    assert not [
        name for name in KEPT if any(word in name for word in ("KEY", "TOKEN", "SECRET", "PASS", "URL"))
    ]
