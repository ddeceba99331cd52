"""Who logs in in these tests."""

from prodigon_lib.core.errors import Unauthenticated
from prodigon_lib.core.principal import Principal, Role
from prodigon_lib.security.accounts import Accounts, Origin, Tokens

HERE = Origin("203.0.113.7", "request-1")
PASSWORD = "tide-lantern-fig"  # pragma: allowlist secret
OTHER = "copper-meadow-nine"  # pragma: allowlist secret


async def ada(accounts: Accounts, role: Role = Role.LEARNER) -> Tokens:
    await accounts.create("ada", PASSWORD, role, HERE)
    return await accounts.login("ada", PASSWORD, HERE)


async def refused(accounts: Accounts, credential: str) -> bool:
    try:
        await accounts.authenticate(credential)
    except Unauthenticated:
        return True
    return False


async def boss(accounts: Accounts) -> Principal:
    await accounts.create("boss", PASSWORD, Role.OPERATOR, HERE)
    return await accounts.authenticate((await accounts.login("boss", PASSWORD, HERE)).access)
