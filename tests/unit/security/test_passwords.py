"""What a password must be, and how it is hashed."""

import asyncio

import pytest

from prodigon_lib.core.errors import RateLimited, ValidationFailed
from prodigon_lib.security.passwords import Passwords, check_password

GOOD = "tide-lantern-fig"  # pragma: allowlist secret


def quick(threads: int = 2) -> Passwords:
    return Passwords(memory_kib=64, passes=1, threads=threads)


async def test_a_hash_is_argon2id_and_matches_its_password_only() -> None:
    passwords = quick()
    hash = await passwords.hash(GOOD)
    assert hash.startswith("$argon2id$")
    assert await passwords.verify(hash, GOOD)
    assert not await passwords.verify(hash, GOOD + "x")
    assert hash != await passwords.hash(GOOD)
    passwords.close()


@pytest.mark.parametrize("hash", [None, "", "no hash", "$argon2id$v=19$m=64,t=1,p=1$AAAA$AAAA"])
async def test_what_is_no_hash_matches_nothing(hash: str | None) -> None:
    passwords = quick()
    assert not await passwords.verify(hash, GOOD)
    passwords.close()


async def test_an_accent_may_be_typed_either_way() -> None:
    passwords = quick()
    assert await passwords.verify(await passwords.hash("cafe\u0301 au lait"), "caf\u00e9 au lait")
    passwords.close()


async def test_a_flood_is_refused_and_those_in_line_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodigon_lib.security.passwords.MOST_WAITING", 3)
    passwords = quick(threads=1)
    answers = await asyncio.gather(*(passwords.hash(GOOD) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(answer, str) for answer in answers) == 4
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 6
    assert await passwords.hash(GOOD)
    passwords.close()


def test_other_parameters_are_seen() -> None:
    passwords = quick()
    assert passwords.outdated("$argon2id$v=19$m=32,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43)
    passwords.close()


@pytest.mark.parametrize("password", [GOOD, "x7" * 512, "पासवर्ड लंबा है", "        a"])
def test_long_ones_and_any_characters_will_do(password: str) -> None:
    check_password(password, "ada")


@pytest.mark.parametrize(
    "password", ["short", "x7" * 513, "Password123", "QWERTYUIOP", "ada.lovelace", "zzzzzzzzzz"]
)
def test_what_is_tried_first_will_not(password: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        check_password(password, "ada.lovelace")
    assert password not in caught.value.message
