"""Puts the parts of accounts together, on one database."""

from datetime import timedelta

from prodigon_lib.core.ids import KeyId, LoginId
from prodigon_lib.persistence.accounts import AccountRepository
from prodigon_lib.persistence.api_keys import ApiKeyRepository, LiveKey
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.logins import Login, LoginRepository
from prodigon_lib.persistence.signing_keys import SigningKeyRepository
from prodigon_lib.persistence.throttles import ThrottleRepository
from prodigon_lib.security.accounts import Accounts, Terms
from prodigon_lib.security.api_keys import ApiKeys
from prodigon_lib.security.audit import AuditLog
from prodigon_lib.security.envelope import Envelope
from prodigon_lib.security.lockout import Lockout
from prodigon_lib.security.passwords import Passwords
from prodigon_lib.security.recall import Recall
from prodigon_lib.security.signing_keys import STILL_SIGNS, SigningKeys
from prodigon_lib.security.tokens import AccessTokens


def build_accounts(
    database: Database,
    envelope: Envelope,
    audit: AuditLog,
    terms: Terms,
    *,
    passwords: Passwords | None = None,
) -> Accounts:
    """Accounts, whose `opened` the caller opens, and whose audit log too."""
    recall: Recall[LoginId, Login] = Recall()
    keys: Recall[KeyId, LiveKey] = Recall()
    return Accounts(
        AccountRepository(database),
        LoginRepository(database),
        ApiKeys(ApiKeyRepository(database), keys),
        passwords=passwords or Passwords(),
        tokens=AccessTokens(signing_keys(database, envelope, terms), seconds=terms.access_seconds),
        lockout=Lockout(ThrottleRepository(database)),
        recall=recall,
        audit=audit,
        terms=terms,
    )


def signing_keys(database: Database, envelope: Envelope, terms: Terms) -> SigningKeys:
    """A retired key is believed for as long as a token that it signed may live."""
    kept = timedelta(seconds=terms.access_seconds) + STILL_SIGNS
    return SigningKeys(SigningKeyRepository(database, kept), envelope, days=terms.signing_key_days)
