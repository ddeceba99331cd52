"""What is sent to an OIDC provider and what comes back: little, soon, and from nowhere else.

The provider's own document names the addresses. Each must be `https://`, or on this machine; no answer leads
on to another one, and none is read beyond its limit.
"""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import orjson

from prodigon_lib.core.errors import ProdigonError, Unauthenticated, UpstreamError, UpstreamUnavailable
from prodigon_lib.core.http.addresses import is_safe
from prodigon_lib.security.outgoing import body_within

DISCOVERY = "/.well-known/openid-configuration"
SECONDS = 10.0
MOST_BYTES = 512 * 1024
BASIC = "client_secret_basic"


class ProviderWire:
    """Args: `client_secret` goes to the provider's token endpoint, and nowhere else."""

    def __init__(self, client_id: str, client_secret: str, *, seconds: float = SECONDS) -> None:
        self._id, self._secret, self._seconds = client_id, client_secret, seconds

    async def about(self, issuer: str) -> Mapping[str, Any]:
        """The discovery document, with each address that we use.

        Raises:
            UpstreamUnavailable: the provider is away.
            UpstreamError: it gave no such document.
        """
        document = await self._asked("GET", issuer.rstrip("/") + DISCOVERY)
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not is_safe(document.get(name)):
                raise UpstreamError(f"the OIDC provider's {name} is no https:// address")
        return document

    async def keys(self, about: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._asked("GET", about["jwks_uri"])

    async def exchange(self, about: Mapping[str, Any], code: str, verifier: str, redirect_url: str) -> str:
        """The id token for that code.

        Raises:
            Unauthenticated: the provider knows no such code, or it belongs to another verifier.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_url,
        }
        headers = {}
        if BASIC in about.get("token_endpoint_auth_methods_supported", [BASIC]):
            headers["Authorization"] = basic(self._id, self._secret)
        else:
            form |= {"client_id": self._id, "client_secret": self._secret}
        refused = Unauthenticated("the OIDC provider did not accept this login: begin it again")
        answer = await self._asked(
            "POST", about["token_endpoint"], data=form, headers=headers, refused=refused
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise UpstreamError("the OIDC provider gave no id token")
        return token

    async def _asked(
        self, method: str, url: str, *, refused: ProdigonError | None = None, **more: Any
    ) -> Mapping[str, Any]:
        timeout = aiohttp.ClientTimeout(total=self._seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.request(method, url, allow_redirects=False, **more) as answer,
            ):
                body = await body_within(MOST_BYTES, answer) if answer.status == 200 else b""
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise UpstreamUnavailable("the OIDC provider is away", retry_after=5) from None
        if answer.status != 200:
            raise refused if refused and answer.status in (400, 401) else status_error(answer.status)
        return document_in(body)


def basic(id: str, secret: str) -> str:
    """RFC 6749, 2.3.1: each is encoded as in a form before the two are joined."""
    pair = f"{quote_plus(id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def status_error(status: int) -> UpstreamError:
    return UpstreamError(f"the OIDC provider answered {status}")


def document_in(body: bytes) -> Mapping[str, Any]:
    try:
        document = orjson.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise UpstreamError("the OIDC provider answered with something else than a document")
    return document
