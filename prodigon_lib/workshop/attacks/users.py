"""Two users of a stack with accounts: one is attacked, the other attacks."""

import secrets
from collections.abc import Mapping

from prodigon_lib.workshop.attacks.raider import Raider


async def two_users(url: str) -> Mapping[str, str]:
    """Registers a `victim` and an `attacker`, and logs them in: their Authorization headers.

    Raises:
        RuntimeError: the stack takes no registration, or no login.
    """
    found = {}
    async with Raider(url, {}, {}) as raider:
        for who in ("victim", "attacker"):
            body = {"name": raider.word(), "password": secrets.token_urlsafe(16)}
            made = await raider.ask("POST", "/api/v1/auth/register", body, who="nobody")
            login = await raider.ask("POST", "/api/v1/auth/login", body, who="nobody")
            if not login.ok:
                raise RuntimeError(f"no login: registered with {made.status}, logged in with {login.status}")
            found[who] = f"Bearer {login.json()['access_token']}"
    return found
