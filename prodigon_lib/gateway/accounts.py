"""Accounts: registering, logging in, API keys. Imported only where accounts are on."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from prodigon_lib.core.context import request_id_or
from prodigon_lib.core.errors import Conflict
from prodigon_lib.core.http.client_address import client_address
from prodigon_lib.core.ids import KeyId
from prodigon_lib.core.schemas.accounts import (
    AccountView,
    Credentials,
    KeyCreate,
    KeyCreated,
    KeyView,
    PasswordChange,
    RefreshRequest,
    TokenView,
)
from prodigon_lib.core.schemas.health import ErrorEnvelope
from prodigon_lib.gateway.dependencies import Bound, Caller
from prodigon_lib.persistence.accounts import Account
from prodigon_lib.persistence.api_keys import ApiKey
from prodigon_lib.security.accounts import Accounts, Origin, Tokens
from prodigon_lib.security.api_keys import PREFIX, shown_id

router = APIRouter(prefix="/api/v1", tags=["accounts"])


async def accounts_of(bound: Bound) -> Accounts:
    if bound.accounts is None:
        raise Conflict("this gateway has no accounts: AUTH is not accounts")
    return bound.accounts


async def origin_of(request: Request) -> Origin:
    trusted = request.app.state.trusted_proxies
    return Origin(client_address(request.scope, trusted), request_id_or())


NOT_GOOD: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorEnvelope, "description": "What was shown is not good, or not any more"}
}
"""Of routes that ask for no credential beside what they are shown."""
CLOSED: dict[int | str, dict[str, Any]] = {
    403: {"model": ErrorEnvelope, "description": "Registration is closed"}
}

On = Annotated[Accounts, Depends(accounts_of)]
From = Annotated[Origin, Depends(origin_of)]


@router.post("/auth/register", status_code=201, responses=CLOSED)
async def register(asked: Credentials, accounts: On, origin: From) -> AccountView:
    """A new account, as a learner; 403 where registration is closed."""
    return account_view(await accounts.register(asked.name, asked.password.get_secret_value(), origin))


@router.post("/auth/login", responses=NOT_GOOD)
async def login(asked: Credentials, accounts: On, origin: From) -> TokenView:
    """An access token for minutes, and a refresh token for the next one."""
    return token_view(await accounts.login(asked.name, asked.password.get_secret_value(), origin))


@router.post("/auth/refresh", responses=NOT_GOOD)
async def refresh(asked: RefreshRequest, accounts: On, origin: From) -> TokenView:
    """Both tokens anew. A refresh token that comes twice ends its login."""
    return token_view(await accounts.refresh(asked.refresh_token.get_secret_value(), origin))


@router.post("/auth/logout", status_code=204)
async def logout(caller: Caller, accounts: On, origin: From) -> None:
    """The login that the access token came from has ended."""
    await accounts.logout(caller, origin)


@router.get("/auth/me")
async def me(caller: Caller, accounts: On) -> AccountView:
    """Whose credential it is."""
    return account_view(await accounts.me(caller))


@router.post("/auth/password", status_code=204)
async def change_password(asked: PasswordChange, caller: Caller, accounts: On, origin: From) -> None:
    """Another password; all other logins end."""
    current, new = asked.current_password.get_secret_value(), asked.new_password.get_secret_value()
    await accounts.change_password(caller, current, new, origin)


@router.post("/keys", status_code=201)
async def create_key(asked: KeyCreate, caller: Caller, accounts: On, origin: From) -> KeyCreated:
    """A new API key, whose text is in this answer and nowhere else."""
    made, text = await accounts.create_key(
        caller, origin, name=asked.name, scopes=asked.scopes, expires_at=asked.expires_at
    )
    return KeyCreated(**key_view(made).model_dump(), key=text.text)


@router.get("/keys")
async def list_keys(caller: Caller, accounts: On) -> list[KeyView]:
    """The caller's keys that are good, newest first."""
    return [key_view(key) for key in await accounts.keys(caller)]


@router.delete("/keys/{key_id}", status_code=204)
async def revoke_key(key_id: UUID, caller: Caller, accounts: On, origin: From) -> None:
    """That key is good for nothing any more, within seconds on every gateway."""
    await accounts.revoke_key(caller, KeyId(key_id), origin)


def account_view(account: Account) -> AccountView:
    return AccountView.model_validate(account, from_attributes=True)


def token_view(tokens: Tokens) -> TokenView:
    return TokenView(access_token=tokens.access, refresh_token=tokens.refresh, expires_in=int(tokens.seconds))


def key_view(key: ApiKey) -> KeyView:
    return KeyView(
        key_id=key.id,
        name=key.name,
        prefix=PREFIX + shown_id(key.id),
        scopes=sorted(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )
