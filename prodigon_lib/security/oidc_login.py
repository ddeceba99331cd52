"""A login at an OIDC provider becomes a login here. The account is found by issuer and subject alone.

An e-mail address, or a name, may be given to somebody else there; who had it first would find a stranger in
their account.
"""

import hashlib
import re

from prodigon_lib.core.errors import Conflict
from prodigon_lib.persistence.accounts import Account, AccountRepository
from prodigon_lib.security.accounts import Accounts, Origin, Tokens
from prodigon_lib.security.audit import AuditEvent
from prodigon_lib.security.oidc import Begun, Identity, OidcProvider, refusal

NOT_IN_NAMES = re.compile(r"[^a-z0-9._-]+")
LONGEST = 40
TAKEN = ("", "-2", "-3", "-4", "-5")


class OidcLogin:
    """Whoever the provider knows gets an account, as a learner, at their first login."""

    def __init__(self, provider: OidcProvider, repository: AccountRepository, accounts: Accounts) -> None:
        self._provider, self._repository, self._accounts = provider, repository, accounts

    @property
    def over_tls(self) -> bool:
        """Whether browsers reach this gateway so."""
        return self._provider.redirect_url.startswith("https://")

    async def begin(self) -> Begun:
        return await self._provider.begin()

    async def finish(
        self, *, code: str, state: str, issuer: str | None, cookie: str, origin: Origin
    ) -> Tokens:
        """Raises (beside those of `OidcProvider.finish`):
        Unauthenticated: the account is disabled.
        """
        identity = await self._provider.finish(code=code, state=state, issuer=issuer, cookie=cookie)
        account = await self._repository.of_identity(identity.issuer, identity.subject)
        if account is None:
            account = await self._new(identity)
        if account.disabled:
            raise refusal()
        return await self._accounts.open_login(account, AuditEvent.OIDC_LOGIN, origin)

    async def _new(self, identity: Identity) -> Account:
        """Under the name that they have there, or one like it: who has that name here is somebody else."""
        for suffix in TAKEN:
            made = await self._repository.create_for_identity(
                identity.issuer, identity.subject, account_name(identity) + suffix
            )
            if made is not None:
                return made
        raise Conflict("no name was free for this account: ask an operator")


def account_name(identity: Identity) -> str:
    """Of the letters that a name may have; where too few are left, drawn from the identity."""
    name = NOT_IN_NAMES.sub("-", identity.name.casefold()).strip("-._")[:LONGEST]
    if len(name) >= 3:
        return name
    return "user-" + hashlib.sha256(f"{identity.issuer}\n{identity.subject}".encode()).hexdigest()[:12]
