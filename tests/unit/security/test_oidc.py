"""What an id token must be, and which browser may bring a login back; a fake stands for the provider."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey, RSAKey

from prodigon_lib.core.errors import Unauthenticated, UpstreamError
from prodigon_lib.security.envelope import Envelope
from prodigon_lib.security.envelope_keys import EnvelopeKeys, draw_envelope_key
from prodigon_lib.security.oidc import OidcProvider, challenge
from prodigon_lib.security.oidc_login import account_name
from prodigon_lib.security.oidc_wire import ProviderWire
from tests.clock import Clock

ISSUER, CLIENT, BACK = "https://id.example.org", "prodigon", "https://gateway.example.org/back"
ENVELOPE = Envelope.of(EnvelopeKeys.parse(draw_envelope_key("test")))
KEY = RSAKey.generate_key(2048, {"kid": "one"})
CLAIMS = {"iss": ISSUER, "aud": CLIENT, "sub": "ada-1", "exp": 1300, "iat": 1000, "nonce": "n"}


class FakeWire(ProviderWire):
    def __init__(self) -> None:
        super().__init__(CLIENT, "x")
        self.document: dict[str, Any] = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize"}
        self.shown: Any = KeySet([KEY]).as_dict(private=False)
        self.asked: list[str] = []
        self.answer: Callable[[str], str] = lambda verifier: ""

    async def about(self, issuer: str) -> Mapping[str, Any]:
        self.asked.append(issuer)
        return self.document

    async def keys(self, about: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.shown

    async def exchange(self, about: Mapping[str, Any], code: str, verifier: str, redirect_url: str) -> str:
        return self.answer(verifier)


def provider(wire: FakeWire, clock: Clock | None = None) -> OidcProvider:
    return OidcProvider(
        wire, ENVELOPE, issuer=ISSUER, client_id=CLIENT, redirect_url=BACK, clock=clock or Clock()
    )


def signed(claims: dict[str, Any], key: Any = KEY, alg: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": key.kid, **header}, claims, key, algorithms=[alg])


def without(claim: str) -> dict[str, Any]:
    return {name: value for name, value in CLAIMS.items() if name != claim}


def with_public_key_as_secret() -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "one"}, CLAIMS))
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    mark = hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"


BAD: dict[str, Callable[[], str]] = {
    "another issuer": lambda: signed({**CLAIMS, "iss": "https://other.example.org"}),
    "another audience": lambda: signed({**CLAIMS, "aud": "other"}),
    "many audiences": lambda: signed({**CLAIMS, "aud": [CLIENT, "other"]}),
    "for another party": lambda: signed({**CLAIMS, "azp": "other"}),
    "another nonce": lambda: signed({**CLAIMS, "nonce": "m"}),
    "no nonce": lambda: signed(without("nonce")),
    "no end": lambda: signed(without("exp")),
    "no beginning": lambda: signed(without("iat")),
    "no issuer": lambda: signed(without("iss")),
    "no audience": lambda: signed(without("aud")),
    "no subject": lambda: signed(without("sub")),
    "a subject that Postgres can't keep": lambda: signed({**CLAIMS, "sub": "ada\0"}),
    "its time is over": lambda: signed({**CLAIMS, "exp": 900}),
    "nobody": lambda: signed({**CLAIMS, "sub": ""}),
    "a long subject": lambda: signed({**CLAIMS, "sub": "x" * 256}),
    "another key": lambda: signed(CLAIMS, RSAKey.generate_key(2048, {"kid": "one"})),
    "an algorithm that is not allowed": lambda: signed(CLAIMS, alg="RS512"),
    "the public key as a secret": with_public_key_as_secret,
    "no signature": lambda: signed(CLAIMS).rsplit(".", 1)[0] + ".",
    "no token": lambda: "x",
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_an_id_token_that_is_not_for_this_login_is_refused(what: str) -> None:
    asked = provider(FakeWire())
    assert (await asked.identity_in(signed(CLAIMS), "n")).subject == "ada-1"
    with pytest.raises(Unauthenticated):
        await asked.identity_in(BAD[what](), "n")


async def test_several_audiences_are_well_when_we_are_the_party() -> None:
    token = signed({**CLAIMS, "aud": [CLIENT, "other"], "azp": CLIENT})
    assert (await provider(FakeWire()).identity_in(token, "n")).issuer == ISSUER


async def test_a_providers_new_key_is_looked_for_but_not_without_end() -> None:
    wire, clock = FakeWire(), Clock()
    asked = provider(wire, clock)
    await asked.identity_in(signed(CLAIMS), "n")
    new = OKPKey.generate_key("Ed25519", {"kid": "two"})
    wire.shown = KeySet([new]).as_dict(private=False)
    token = signed(CLAIMS, new, "Ed25519")
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await asked.identity_in(token, "n")
    assert len(wire.asked) == 1
    clock.now += 61
    await asked.identity_in(token, "n")
    assert len(wire.asked) == 2


async def test_the_code_is_exchanged_with_this_browsers_verifier() -> None:
    wire = FakeWire()
    asked = provider(wire)
    begun = await asked.begin()
    sent = dict(pair.split("=") for pair in begun.url.partition("?")[2].split("&"))
    assert sent["code_challenge_method"] == "S256"

    def answer(verifier: str) -> str:
        assert challenge(verifier) == sent["code_challenge"]
        return signed({**CLAIMS, "nonce": sent["nonce"], "preferred_username": "Ada"})

    wire.answer = answer
    found = await asked.finish(code="c", state=sent["state"], issuer=ISSUER, cookie=begun.cookie)
    assert (found.subject, found.name) == ("ada-1", "Ada")
    assert sent["state"] not in repr(begun)


@pytest.mark.parametrize("what", ["state", "issuer", "cookie", "another browser", "time"])
async def test_another_browser_can_not_finish_it(what: str) -> None:
    wire, clock = FakeWire(), Clock()
    wire.answer = lambda verifier: pytest.fail("no code was to be exchanged")
    asked = provider(wire, clock)
    begun, other = await asked.begin(), await asked.begin()
    state = begun.url.partition("&state=")[2].partition("&")[0]
    clock.now += 601 if what == "time" else 0
    with pytest.raises(Unauthenticated):
        await asked.finish(
            code="c",
            state="x" if what == "state" else state,
            issuer="https://other.example.org" if what == "issuer" else None,
            cookie={"cookie": "é", "another browser": other.cookie}.get(what, begun.cookie),
        )


async def test_a_provider_that_says_it_is_another_is_not_believed() -> None:
    wire = FakeWire()
    wire.document["issuer"] = "https://other.example.org"
    with pytest.raises(UpstreamError, match="OIDC_ISSUER"):
        await provider(wire).begin()


@pytest.mark.parametrize(
    ("called", "name"),
    [("Ada Lovelace", "ada-lovelace"), ("../..", "user-"), ("", "user-"), ("x" * 99, "x" * 40)],
)
async def test_an_account_gets_a_name_that_is_one(called: str, name: str) -> None:
    token = signed({**CLAIMS, "preferred_username": called})
    assert account_name(await provider(FakeWire()).identity_in(token, "n")).startswith(name)
