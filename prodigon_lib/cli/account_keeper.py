"""What `prodigon accounts` does to a database, each deed with its line in the audit log.

The commands import it when they run: the drivers and Argon2 take longer to load than most commands take.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prodigon_lib.core.principal import Role
from prodigon_lib.persistence.accounts import Account, AccountRepository
from prodigon_lib.persistence.audit import AuditRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.logins import LoginRepository
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.security.accounts import Terms
from prodigon_lib.security.audit import AuditEvent, AuditLog, Outcome
from prodigon_lib.security.composition import signing_keys
from prodigon_lib.security.envelope import Envelope
from prodigon_lib.security.envelope_keys import EnvelopeKeys
from prodigon_lib.security.passwords import Passwords, check_password


class AccountKeeper:
    def __init__(self, database: Database, passwords: Passwords, log: AuditLog) -> None:
        self._database, self._passwords, self._log = database, passwords, log
        self._accounts = AccountRepository(database)

    @classmethod
    @asynccontextmanager
    async def at(cls, url: DatabaseUrl) -> AsyncIterator["AccountKeeper"]:
        """For as long as the block runs; what it recorded is written at its end."""
        database, passwords = Database(url), Passwords()
        log = AuditLog(AuditRepository(database))
        try:
            async with log.opened():
                yield cls(database, passwords, log)
        finally:
            passwords.close()
            await database.close()

    async def create(self, name: str, password: str, role: Role) -> Account:
        """Raises ValidationFailed: the password is no good. Conflict: the name is taken."""
        check_password(password, name)
        made = await self._accounts.create(name, role, await self._passwords.hash(password))
        self._record(AuditEvent.ACCOUNT_CREATED, name)
        return made

    async def reset(self, name: str, password: str) -> None:
        """Raises AccountNotFound. Conflict: the account has no password, as its user logs in elsewhere."""
        account = await self._accounts.reset_hash(name, await self._passwords.hash(password))
        await LoginRepository(self._database).revoke_all(account.id)  # last: the old one begins none after it
        self._record(AuditEvent.PASSWORD_RESET, name)

    async def rotate(self, keys: EnvelopeKeys, access_seconds: float, *, at_once: bool) -> tuple[str, int]:
        """The new signing key's id, and how many others were sealed anew.

        Raises:
            SecretUnreadable: those in the database were sealed under none of `keys`.
        """
        signing = signing_keys(self._database, Envelope.of(keys), Terms(access_seconds=access_seconds))
        sealed = 0 if at_once else await signing.reseal()
        kid = await signing.rotate(at_once=at_once)
        self._record(AuditEvent.KEYS_ROTATED, kid)
        return kid, sealed

    def _record(self, event: AuditEvent, target: str) -> None:
        self._log.record(event, outcome=Outcome.SUCCESS, target=target)
