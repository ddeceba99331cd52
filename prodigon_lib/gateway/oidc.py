"""Logging in at an OIDC provider. Imported only where one is named."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from prodigon_lib.core.errors import Unauthenticated
from prodigon_lib.core.schemas.accounts import TokenView
from prodigon_lib.gateway.accounts import NOT_GOOD, From, token_view
from prodigon_lib.gateway.collaborators import Collaborators
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.persistence.accounts import AccountRepository
from prodigon_lib.security.envelope import Envelope
from prodigon_lib.security.envelope_keys import EnvelopeKeys
from prodigon_lib.security.oidc import LOGIN_SECONDS, OidcProvider
from prodigon_lib.security.oidc_login import OidcLogin
from prodigon_lib.security.oidc_wire import ProviderWire

PATH = "/api/v1/auth/oidc"
COOKIE = "prodigon_login"
router = APIRouter(prefix=PATH, tags=["accounts"])


def oidc_login(settings: GatewaySettings, bound: Collaborators) -> OidcLogin:
    """The settings see to it that all of this is there."""
    secret, keys = settings.oidc_client_secret, settings.envelope_keys
    assert settings.oidc_issuer and settings.oidc_client_id and settings.oidc_redirect_url  # noqa: PT018
    assert secret and keys and bound.accounts and bound.database  # noqa: PT018
    provider = OidcProvider(
        ProviderWire(settings.oidc_client_id, secret.get_secret_value()),
        Envelope.of(EnvelopeKeys.parse(keys.get_secret_value())),
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        redirect_url=settings.oidc_redirect_url,
    )
    return OidcLogin(provider, AccountRepository(bound.database), bound.accounts)


async def oidc_of(request: Request) -> OidcLogin:
    login: OidcLogin = request.app.state.oidc
    return login


Oidc = Annotated[OidcLogin, Depends(oidc_of)]
Text = Annotated[str | None, Query(max_length=4096)]
Begun = Annotated[str | None, Cookie(alias=COOKIE, max_length=4096, include_in_schema=False)]


@router.get("/login", status_code=302, response_class=RedirectResponse)
async def begin_oidc_login(request: Request, oidc: Oidc) -> RedirectResponse:
    """To the provider, with a cookie that only this browser brings back."""
    begun = await oidc.begin()
    answer = RedirectResponse(begun.url, status_code=302)
    answer.set_cookie(
        COOKIE,
        begun.cookie,
        max_age=LOGIN_SECONDS,
        path=PATH,
        httponly=True,
        secure=oidc.over_tls,
        samesite="lax",  # the provider sends the browser back: a strict one would stay behind
    )
    return answer


@router.get("/callback", responses=NOT_GOOD)
async def finish_oidc_login(
    response: Response,
    oidc: Oidc,
    origin: From,
    code: Text = None,
    state: Text = None,
    iss: Text = None,
    cookie: Begun = None,
) -> TokenView:
    """Where the provider sends the browser back to: the same answer as a login with a password."""
    if not (code and state and cookie):
        raise Unauthenticated("this login is not good: begin it again")
    tokens = await oidc.finish(code=code, state=state, issuer=iss, cookie=cookie, origin=origin)
    response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="lax")
    return token_view(tokens)
