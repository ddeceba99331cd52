"""Tokens that one service shows another."""

import base64
from itertools import pairwise

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from pydantic import SecretStr

from prodigon_lib.core.errors import SettingsError, Unauthenticated
from prodigon_lib.security.service_tokens import KnownServices, ServiceKeys, ServiceTokens

OLD, NEW = (
    f"{name}:{base64.b64encode(letter * 32).decode()}" for name, letter in (("old", b"o"), ("new", b"n"))
)
NOW = 1_800_000_000.0


def keys(*texts: str) -> ServiceKeys:
    return ServiceKeys.of(SecretStr(",".join(texts)))


def known(*texts: str, called: str = "model", at: float = NOW) -> KnownServices:
    return KnownServices(keys(*(texts or (OLD,))), called, frozenset({"gateway", "worker"}), lambda: at)


def token(*texts: str, caller: str = "gateway", called: str = "model") -> str:
    return ServiceTokens(keys(*(texts or (OLD,))), caller, called, lambda: NOW)()


def test_a_service_that_may_call_is_known() -> None:
    assert known().caller(token(caller="worker")) == "worker"


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        "a.b.c",
        "ä",
        "a" * 5000,
        token(caller="browser"),
        token(called="worker"),
        token(NEW),
        token(NEW.replace("new:", "old:")),
        token()[:-2] + "AA",
        jwt.encode({"alg": "HS256", "kid": "old"}, {"iss": "gateway"}, OctKey.import_key(b"o" * 32)),
        jwt.encode(
            {"alg": "HS256", "kid": "old", "typ": "service+jwt"},
            {"iss": "gateway", "aud": "model", "iat": NOW, "exp": NOW + 86400},
            OctKey.import_key(b"o" * 32),
        ),
        # pragma: allowlist nextline secret (a header that asks for no signature)
        "eyJhbGciOiJub25lIiwia2lkIjoib2xkIiwidHlwIjoic2VydmljZStqd3QifQ." + token().split(".")[1] + ".",
    ],
)
def test_anything_else_is_nobodys(shown: str | None) -> None:
    with pytest.raises(Unauthenticated) as refused:
        known().caller(shown)
    assert refused.value.code == "UNKNOWN_SERVICE"


def test_a_token_is_good_for_a_minute_also_one_that_was_seen() -> None:
    now = NOW
    guard = KnownServices(keys(OLD), "model", frozenset({"gateway"}), lambda: now)
    shown = token()
    assert guard.caller(shown) == "gateway"
    now += 59
    assert guard.caller(shown) == "gateway"
    now += 10
    with pytest.raises(Unauthenticated):
        guard.caller(shown)
    with pytest.raises(Unauthenticated):
        known(at=now).caller(shown)


def test_a_token_is_used_again_for_a_while_and_never_until_its_end() -> None:
    now = NOW
    tokens = ServiceTokens(keys(OLD), "gateway", "model", lambda: now)
    first = tokens()
    now += 19
    assert tokens() == first
    now += 2
    assert tokens() != first
    now -= 3600  # the clock was set back
    assert known(at=now).caller(tokens()) == "gateway"


def test_a_key_is_replaced_while_calls_go_on() -> None:
    """Second everywhere, then first, then alone: whoever is a step behind or ahead is understood."""
    steps = ((OLD,), (OLD, NEW), (NEW, OLD), (NEW,))
    for before, after in pairwise(steps):
        for signs, reads in ((before, after), (after, before)):
            assert known(*reads).caller(token(*signs)) == "gateway"


def test_what_was_seen_is_kept_in_bounds() -> None:
    guard = known()
    for number in range(600):
        shown = ServiceTokens(keys(OLD), "gateway", "model", lambda number=number: NOW - number / 20)()
        guard.caller(shown)
    assert len(guard._seen) <= 256


def test_wrong_keys_stop_the_start_and_are_not_repeated() -> None:
    with pytest.raises(SettingsError, match="SERVICE_KEYS: must be NAME:KEY") as wrong:
        keys("hush")
    assert "hush" not in wrong.value.message
    assert "b'" not in repr(keys(OLD))
