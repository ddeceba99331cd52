"""Accounts: who registers, logs in and renews, and whose a credential is.

    tokens = await accounts.login("ada", password, origin)
    principal = await accounts.authenticate(tokens.access)

An access token is looked up too, not only checked: so one whose login was ended, whose user was disabled or
has another role now, is good for seconds at most (`recall.SECONDS`) and not until it runs out; on the gateway
that ended it, no longer at all. That costs one short query a login every few seconds.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

from prodigon_lib.core.errors import Forbidden, ProdigonError, Unauthenticated, ValidationFailed
from prodigon_lib.core.ids import KeyId, LoginId, UserId
from prodigon_lib.core.principal import Principal, Role, Scope, scopes_of
from prodigon_lib.persistence.accounts import Account, AccountPage, AccountRepository, Credentials
from prodigon_lib.persistence.api_keys import ApiKey
from prodigon_lib.persistence.logins import Login, LoginRepository, Reused
from prodigon_lib.security.api_keys import PREFIX, ApiKeys, KeyText
from prodigon_lib.security.audit import AuditEvent, AuditLog, Outcome
from prodigon_lib.security.lockout import Lockout
from prodigon_lib.security.passwords import Passwords, check_password
from prodigon_lib.security.policy import sees_all_accounts
from prodigon_lib.security.recall import Recall
from prodigon_lib.security.refresh_tokens import draw_refresh_token, hashed
from prodigon_lib.security.tokens import AccessTokens, refusal

PRUNE_EVERY_SECONDS = 3600.0
TRIES = 2
"""A hash may be replaced while a password is checked against it: by its owner, or with newer parameters."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: for the lockout and the audit log."""

    address: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login gives. Neither token is in a `repr`.

    Args:
        seconds: how long `access` is good for.
        refresh: good once, for the next pair.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    seconds: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What the settings say of accounts.

    Args:
        login: how long a login lasts, however often its tokens are renewed.
    """

    login: timedelta = timedelta(days=30)
    access_seconds: float = 600.0
    open_registration: bool = False
    signing_key_days: float = 30.0


class Accounts:
    """An `Authenticator`, and all that changes accounts. Every change stands in the audit log."""

    def __init__(
        self,
        accounts: AccountRepository,
        logins: LoginRepository,
        keys: ApiKeys,
        *,
        passwords: Passwords,
        tokens: AccessTokens,
        lockout: Lockout,
        recall: Recall[LoginId, Login],
        audit: AuditLog,
        terms: Terms,
    ) -> None:
        self._accounts, self._logins, self._keys = accounts, logins, keys
        self._passwords, self._tokens, self._lockout = passwords, tokens, lockout
        self._recall, self._audit, self._terms = recall, audit, terms

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Deletes what has run out, now and then, until the end of the block."""
        pruning = asyncio.create_task(self._prune())
        try:
            yield
        finally:
            pruning.cancel()
            await asyncio.gather(pruning, return_exceptions=True)
            self._passwords.close()

    async def authenticate(self, credential: str) -> Principal:
        if credential.startswith(PREFIX):
            return await self._keys.authenticate(credential)
        claims = await self._tokens.read(credential)
        login = await self._recall.get(claims.login, lambda: self._logins.live(claims.login))
        if login is None or login.user != claims.user:
            raise refusal()
        return Principal(login.user, login.role, scopes_of(login.role), login=login.id)

    async def register(self, name: str, password: str, origin: Origin) -> Account:
        """A new learner.

        Raises:
            Forbidden: registration is closed.
            ValidationFailed, Conflict: as `create`.
        """
        if not self._terms.open_registration:
            raise Forbidden("registration is closed: ask an operator for an account")
        return await self.create(name, password, Role.LEARNER, origin)

    async def create(self, name: str, password: str, role: Role, origin: Origin) -> Account:
        """Raises ValidationFailed: the password is no good. Conflict: the name is taken."""
        check_password(password, name)
        account = await self._accounts.create(name, role, await self._passwords.hash(password))
        self._note(AuditEvent.ACCOUNT_CREATED, origin, account.id, target=account.name)
        return account

    async def login(self, name: str, password: str, origin: Origin) -> Tokens:
        """Raises Unauthenticated: alike in time, body and code for a wrong name, a wrong password and a
        disabled account. RateLimited: too many have failed lately."""
        attempt = await self._lockout.attempt(name, origin.address)
        for _ in range(TRIES):
            found = await self._accounts.credentials(name)
            if (hash := await self._proven(found, password)) is None or found is None:
                break
            refresh, user = draw_refresh_token(), found.account.id
            begun = await self._logins.begin_with(hash, user, hashed(refresh), self._terms.login)
            if begun is not None:
                await self._lockout.succeeded(attempt)
                await self._renew_hash(user, hash, password)
                return await self._tokens_of(begun, found.account, refresh, AuditEvent.LOGIN, origin)
        self._note(AuditEvent.LOGIN, origin, None, Outcome.FAILURE, target=name)
        raise Unauthenticated("the name or the password is wrong")

    async def open_login(self, account: Account, event: AuditEvent, origin: Origin) -> Tokens:
        """For somebody whose identity was checked already."""
        refresh = draw_refresh_token()
        begun = await self._logins.begin(account.id, hashed(refresh), self._terms.login)
        return await self._tokens_of(begun, account, refresh, event, origin)

    async def refresh(self, token: str, origin: Origin) -> Tokens:
        """Raises Unauthenticated: it is not good, or it was used before, and then its login has ended too."""
        new = draw_refresh_token()
        renewed = await self._logins.renew(hashed(token), hashed(new))
        if isinstance(renewed, Reused):
            self._recall.clear()
            self._note(
                AuditEvent.REFRESH_REUSED, origin, renewed.user, Outcome.DENIED, target=str(renewed.id)
            )
        if not isinstance(renewed, Login):
            raise refusal()
        return await self._tokens_for(renewed, new)

    async def logout(self, who: Principal, origin: Origin) -> None:
        """End the login that the caller's token came from; an API key has none."""
        if who.login is not None:
            await self._logins.revoke(who.user, who.login)
            self._recall.clear()
            self._note(AuditEvent.LOGOUT, origin, who.user)

    async def me(self, who: Principal) -> Account:
        return await self._accounts.get(who.user)

    async def change_password(self, who: Principal, current: str, new: str, origin: Origin) -> None:
        """All other logins of the user end; API keys stay.

        Raises:
            ValidationFailed: the current one is wrong, or the new one no good.
            RateLimited: as `login`.
        """
        account = await self._accounts.get(who.user)
        check_password(new, account.name)
        attempt = await self._lockout.attempt(account.name, origin.address)
        found = await self._accounts.credentials_of(who.user)
        if (hash := await self._proven(found, current)) is None:
            self._wrong_password(who, origin)
        await self._lockout.succeeded(attempt)
        again = await self._passwords.hash(new)
        if not await self._accounts.replace_hash(who.user, hash, again):
            self._wrong_password(who, origin)  # changed meanwhile, so it is wrong now
        await self._logins.revoke_all(who.user, but=who.login)
        self._recall.clear()
        self._note(AuditEvent.PASSWORD_CHANGED, origin, who.user)

    async def create_key(
        self,
        who: Principal,
        origin: Origin,
        *,
        name: str,
        scopes: frozenset[Scope],
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, KeyText]:
        """Raises Forbidden, Conflict: as `ApiKeys.create`."""
        key, text = await self._keys.create(who, name=name, scopes=scopes, expires_at=expires_at)
        self._note(AuditEvent.KEY_CREATED, origin, who.user, target=str(key.id))
        return key, text

    async def keys(self, who: Principal) -> list[ApiKey]:
        return await self._keys.of(who)

    async def revoke_key(self, who: Principal, key: KeyId, origin: Origin) -> None:
        """Raises KeyNotFound."""
        await self._keys.revoke(who, key)
        self._note(AuditEvent.KEY_REVOKED, origin, who.user, target=str(key))

    async def page(self, who: Principal, *, limit: int, cursor: str | None = None) -> AccountPage:
        """Those that the caller may see."""
        return await self._accounts.page(everybody=sees_all_accounts(who), limit=limit, cursor=cursor)

    async def change(
        self, who: Principal, user: UserId, origin: Origin, *, role: Role | None, disabled: bool | None
    ) -> Account:
        """Another role, or no more logins and keys, for an operator to say.

        Raises:
            AccountNotFound, Conflict: as `AccountRepository.change`.
        """
        account = await self._accounts.change(user, role=role, disabled=disabled)
        if account.disabled:
            await self._logins.revoke_all(user)
        self._recall.clear()
        self._keys.forget()
        if role is not None:
            self._note(AuditEvent.ROLE_CHANGED, origin, who.user, target=f"{user} {role}")
        if disabled is not None:
            event = AuditEvent.ACCOUNT_DISABLED if disabled else AuditEvent.ACCOUNT_ENABLED
            self._note(event, origin, who.user, target=str(user))
        return account

    async def _proven(self, found: Credentials | None, password: str) -> str | None:
        """The hash that the password matches. One is tried in any case: a name that is none takes as long."""
        hash = found.password_hash if found is not None else None
        right = await self._passwords.verify(hash, password)
        return hash if right and found is not None and not found.account.disabled else None

    def _wrong_password(self, who: Principal, origin: Origin) -> NoReturn:
        self._note(AuditEvent.PASSWORD_CHANGED, origin, who.user, Outcome.FAILURE)
        raise ValidationFailed("current_password: is wrong")

    async def _renew_hash(self, user: UserId, hash: str, password: str) -> None:
        if self._passwords.outdated(hash):
            await self._accounts.replace_hash(user, hash, await self._passwords.hash(password))

    async def _tokens_of(
        self, begun: LoginId, account: Account, refresh: str, event: AuditEvent, origin: Origin
    ) -> Tokens:
        self._note(event, origin, account.id, target=account.name)
        return await self._tokens_for(Login(begun, account.id, account.role), refresh)

    async def _tokens_for(self, login: Login, refresh: str) -> Tokens:
        access = await self._tokens.issue(login.user, login.role, login.id)
        return Tokens(access, refresh, self._tokens.seconds)

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_SECONDS * random.uniform(0.5, 1.0))
            with suppress(ProdigonError):
                await self._logins.prune()
                await self._lockout.prune()

    def _note(
        self,
        event: AuditEvent,
        origin: Origin,
        actor: UserId | None,
        outcome: Outcome = Outcome.SUCCESS,
        *,
        target: str | None = None,
    ) -> None:
        self._audit.record(
            event,
            outcome=outcome,
            actor=actor,
            target=target,
            address=origin.address,
            request_id=origin.request_id,
        )
