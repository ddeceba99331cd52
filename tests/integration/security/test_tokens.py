"""Access tokens and the keys that sign them: what is believed, and that a rotation refuses nothing."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey, RSAKey
from sqlalchemy import text

from prodigon_lib.core.errors import SecretUnreadable, Unauthenticated
from prodigon_lib.core.ids import new_login_id, new_user_id
from prodigon_lib.core.principal import Role
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.signing_keys import SigningKeyRepository
from prodigon_lib.security.envelope import Envelope
from prodigon_lib.security.envelope_keys import EnvelopeKeys, draw_envelope_key
from prodigon_lib.security.signing_keys import SigningKeys
from prodigon_lib.security.tokens import AccessTokens
from tests.clock import Clock

KEPT = timedelta(minutes=11)


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000_000.0)


@pytest.fixture
def keys(opened: Database, envelope: Envelope, clock: Clock) -> SigningKeys:
    return SigningKeys(SigningKeyRepository(opened, KEPT), envelope, clock=clock)


@pytest.fixture
def elsewhere(opened: Database, envelope: Envelope, clock: Clock) -> SigningKeys:
    """Of another gateway."""
    return SigningKeys(SigningKeyRepository(opened, KEPT), envelope, clock=clock)


async def pass_time(opened: Database, clock: Clock, seconds: float) -> None:
    """Here, and by the database's clock."""
    clock.now += seconds
    older = "UPDATE token_signing_keys SET created_at = created_at - make_interval(secs => :seconds)"
    async with opened.transaction() as db:
        await db.execute(text(older), {"seconds": seconds})


async def issue(tokens: AccessTokens) -> str:
    return await tokens.issue(new_user_id(), Role.TEACHER, new_login_id())


async def test_a_token_says_whose_it_is(keys: SigningKeys, elsewhere: SigningKeys) -> None:
    user, login = new_user_id(), new_login_id()
    token = await AccessTokens(keys).issue(user, Role.TEACHER, login)
    claims = await AccessTokens(elsewhere).read(token)
    assert (claims.user, claims.login) == (user, login)
    header, body = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    assert (header["alg"], header["typ"]) == ("Ed25519", "at+jwt")
    assert body["role"] == "teacher"
    assert set(body) == {"iss", "aud", "sub", "role", "sid", "jti", "iat", "nbf", "exp"}


@pytest.mark.parametrize(("seconds", "good"), [(-4, True), (-6, False), (604, True), (606, False)])
async def test_its_time_has_a_beginning_and_an_end(keys: SigningKeys, seconds: float, good: bool) -> None:
    now = Clock(1_000_000.0)
    tokens = AccessTokens(keys, seconds=600, clock=now)
    token = await issue(tokens)
    now.now += seconds
    if good:
        await tokens.read(token)
    else:
        with pytest.raises(Unauthenticated) as caught:
            await tokens.read(token)
        assert caught.value.code == ("TOKEN_EXPIRED" if seconds > 0 else "UNAUTHENTICATED")


Forge = Callable[[dict[str, Any], dict[str, Any], OKPKey], str]


def signed(header: dict[str, Any], claims: dict[str, Any], key: Any) -> str:
    return jwt.encode(header, claims, key, algorithms=[header["alg"]])


def encoded(*parts: bytes) -> str:
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def unsigned(header: dict[str, Any], claims: dict[str, Any], _: OKPKey) -> str:
    return encoded(json.dumps({**header, "alg": "none"}).encode(), json.dumps(claims).encode(), b"")


def with_public_key_as_secret(header: dict[str, Any], claims: dict[str, Any], key: OKPKey) -> str:
    text = encoded(json.dumps({**header, "alg": "HS256"}).encode(), json.dumps(claims).encode())
    return f"{text}.{encoded(hmac.digest(key.as_pem(private=False), text.encode(), 'sha256'))}"


def with_key_of_its_own(header: dict[str, Any], claims: dict[str, Any], _: OKPKey) -> str:
    own = OKPKey.generate_key("Ed25519")
    return signed({**header, "jwk": own.as_dict(private=False)}, claims, own)


FORGERIES: dict[str, Forge] = {
    "no signature": unsigned,
    "the public key as a secret": with_public_key_as_secret,
    "a key that it brings": with_key_of_its_own,
    "RSA": lambda header, claims, _: signed({**header, "alg": "RS256"}, claims, RSAKey.generate_key(2048)),
    "an unknown key": lambda header, claims, key: signed({**header, "kid": "x"}, claims, key),
    "no key": lambda header, claims, key: signed(without(header, "kid"), claims, key),
    "a key id that is none": lambda header, claims, key: signed({**header, "kid": "../../x"}, claims, key),
    "another type": lambda header, claims, key: signed({**header, "typ": "JWT"}, claims, key),
    "another issuer": lambda header, claims, key: signed(header, {**claims, "iss": "x"}, key),
    "another audience": lambda header, claims, key: signed(header, {**claims, "aud": "x"}, key),
    "no end": lambda header, claims, key: signed(header, without(claims, "exp"), key),
    "no beginning": lambda header, claims, key: signed(header, without(claims, "nbf"), key),
    "no login": lambda header, claims, key: signed(header, without(claims, "sid"), key),
    "a user that is none": lambda header, claims, key: signed(header, {**claims, "sub": "ada"}, key),
    "a header without an end": lambda header, claims, key: encoded(b"[" * 2000, b"{}", b"x"),
    "very long": lambda header, claims, key: signed(header, {**claims, "more": "x" * 4096}, key),
}


def without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


@pytest.mark.parametrize("how", FORGERIES)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_a_forged_token_is_refused(keys: SigningKeys, clock: Clock, how: str) -> None:
    tokens = AccessTokens(keys, clock=clock)
    token = await issue(tokens)
    signing = await keys.signing()
    header = {"alg": "Ed25519", "kid": signing.kid, "typ": "at+jwt"}
    claims = jwt.decode(token, signing.key, algorithms=["Ed25519"]).claims
    await tokens.read(signed(header, claims, signing.key))  # what is forged from is good
    with pytest.raises(Unauthenticated):
        await tokens.read(FORGERIES[how](header, dict(claims), signing.key))


async def test_a_changed_token_is_refused(keys: SigningKeys) -> None:
    tokens = AccessTokens(keys)
    header, body, signature = (await issue(tokens)).split(".")
    changed = base64.urlsafe_b64decode(body + "==").replace(b"teacher", b"operator")
    again = base64.urlsafe_b64encode(changed).decode().rstrip("=")
    with pytest.raises(Unauthenticated):
        await tokens.read(f"{header}.{again}.{signature}")


async def test_two_gateways_start_with_one_key(keys: SigningKeys, elsewhere: SigningKeys) -> None:
    assert (await keys.signing()).kid == (await elsewhere.signing()).kid


async def test_a_new_key_signs_once_all_gateways_know_it(
    opened: Database, keys: SigningKeys, elsewhere: SigningKeys, clock: Clock
) -> None:
    old = (await keys.signing()).kid
    await elsewhere.signing()
    await pass_time(opened, clock, 60)
    new = await keys.rotate()
    assert (await keys.signing()).kid == old
    await pass_time(opened, clock, 10.1)
    assert (await keys.signing()).kid == new
    token = await issue(AccessTokens(keys))
    await AccessTokens(elsewhere).read(token)
    assert (await elsewhere.signing()).kid == new


async def test_an_old_key_is_believed_until_its_tokens_have_run_out(
    opened: Database, envelope: Envelope, keys: SigningKeys, clock: Clock
) -> None:
    old = (await keys.signing()).kid
    await keys.rotate()
    clock.now += 10.1
    assert await keys.verifying(old) is not None
    short = SigningKeys(SigningKeyRepository(opened, timedelta()), envelope)
    assert await short.verifying(old) is None
    await short.rotate()
    assert len(await SigningKeyRepository(opened, KEPT).believed()) == 2  # the first is deleted


async def test_a_stolen_key_goes_at_once(keys: SigningKeys, elsewhere: SigningKeys, clock: Clock) -> None:
    tokens = AccessTokens(keys)
    before = await issue(tokens)
    await AccessTokens(elsewhere).read(before)
    await keys.rotate(at_once=True)
    for gateway in (keys, elsewhere):
        clock.now += 5.1
        with pytest.raises(Unauthenticated):
            await AccessTokens(gateway).read(before)
    await AccessTokens(elsewhere).read(await issue(tokens))


async def test_an_unknown_key_is_looked_for_once_a_second(
    keys: SigningKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keys.signing()
    asked = 0
    real = keys._repository.believed

    async def counted() -> Any:
        nonlocal asked
        asked += 1
        return await real()

    monkeypatch.setattr(keys._repository, "believed", counted)
    clock.now += 1.1
    for _ in range(50):
        assert await keys.verifying(str(uuid4())) is None
    assert asked == 1


async def test_a_key_is_replaced_when_its_days_are_over(opened: Database, envelope: Envelope) -> None:
    old = (await SigningKeys(SigningKeyRepository(opened, KEPT), envelope).signing()).kid
    await SigningKeys(SigningKeyRepository(opened, KEPT), envelope, days=0).signing()
    believed = await SigningKeyRepository(opened, KEPT).believed()
    assert [key.kid for key in believed][1:] == [old]


async def test_keys_move_to_a_new_envelope_key(opened: Database) -> None:
    repository = SigningKeyRepository(opened, KEPT)
    first, second = draw_envelope_key("first"), draw_envelope_key("second")

    def sealed_under(text: str) -> SigningKeys:
        return SigningKeys(repository, Envelope.of(EnvelopeKeys.parse(text)))

    kid = (await sealed_under(first).signing()).kid
    assert await sealed_under(f"{second},{first}").reseal() == 1
    assert await sealed_under(f"{second},{first}").reseal() == 0
    assert (await sealed_under(second).signing()).kid == kid
    with pytest.raises(SecretUnreadable):
        await sealed_under(first).signing()


async def test_no_key_shows_itself(keys: SigningKeys, opened: Database) -> None:
    signing = await keys.signing()
    (sealed,) = await SigningKeyRepository(opened, KEPT).believed()
    assert "PRIVATE" not in repr(signing)
    assert b"PRIVATE" not in sealed.sealed
    assert "sealed" not in repr(sealed)
