"""Accounts that a stack makes for whoever uses it from this machine: one line in a lesson is a user.

Their passwords are computed from the key in the stack's folder: nothing more has to be kept, two kernels that
hold the stack are the same user, and who can't read the folder can't log in.
"""

import asyncio
import base64
import hmac
from concurrent.futures import ThreadPoolExecutor

from pydantic import TypeAdapter, ValidationError

from prodigon_lib.core.errors import Conflict, StackError
from prodigon_lib.core.principal import Role
from prodigon_lib.core.schemas.accounts import AccountName
from prodigon_lib.persistence.accounts import Account, AccountRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.security.passwords import Passwords
from prodigon_lib.stack.envelope_keys import kept_envelope_keys
from prodigon_lib.stack.folder import StackFolder

NAME = "3 to 64 letters, digits and . _ @ + -, a letter or digit first"


def kept_account(folder: StackFolder, database_url: str, user: str, role: str | None) -> str:
    """The password of that user's account, which is made when there is none. A role becomes its role.

    Raises:
        StackError: there is no such role, or somebody else made an account of that name.
    """
    if role is not None and role not in list(Role):
        raise StackError(f"role must be {', '.join(Role)}, not {role!r}")
    try:
        user = TypeAdapter(AccountName).validate_python(user)
    except ValidationError:
        raise StackError(f"user must be {NAME}, not {user!r}") from None
    password = password_of(folder, user)
    wanted = None if role is None else Role(role)
    with ThreadPoolExecutor(1) as beside:  # a notebook's own loop runs here
        beside.submit(asyncio.run, ensure(database_url, user, wanted, password)).result()
    return password


def password_of(folder: StackFolder, user: str) -> str:
    key = kept_envelope_keys(folder).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, f"account {user}".encode(), "sha256")).decode()


async def ensure(database_url: str, user: str, role: Role | None, password: str) -> None:
    database = Database(parse_database_url(database_url), pool_size=1)
    passwords = Passwords()
    try:
        accounts = AccountRepository(database)
        account = await account_of(accounts, passwords, user, password)
        if role not in (None, account.role):
            await accounts.change(account.id, role=role, disabled=None)
    finally:
        passwords.close()
        await database.close()


async def account_of(accounts: AccountRepository, passwords: Passwords, user: str, password: str) -> Account:
    while True:
        found = await accounts.credentials(user)
        if found is None:
            try:
                return await accounts.create(user, Role.LEARNER, await passwords.hash(password))
            except Conflict:
                continue  # another kernel was first
        if not await passwords.verify(found.password_hash, password):
            raise StackError(f"{user} is an account that this stack did not make: give its password too")
        return found.account
