"""What looks at a gateway every two seconds, where a password opens its figures."""

from typing import Any

from prodigon_lib.client.credentials import LOGIN
from prodigon_lib.core.principal import Role
from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.accounts import AccountRepository
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import DatabaseUrl
from prodigon_lib.security.envelope_keys import draw_envelope_key
from prodigon_lib.security.passwords import Passwords
from prodigon_lib.widgets.dashboard.observer import Observer
from prodigon_lib.widgets.target import Target
from tests.integration.gateway.conftest import settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.serving import serving

GOOD, BAD = "tide-lantern-fig", "fig-lantern-tide"  # pragma: allowlist secret
LOOKS = 3


async def open_account(database: DatabaseUrl, name: str, role: Role) -> None:
    pool, passwords = Database(database), Passwords()
    await AccountRepository(pool).create(name, role, await passwords.hash(GOOD))
    passwords.close()
    await pool.close()


async def test_a_wrong_password_is_tried_once(database: DatabaseUrl) -> None:
    """To guess on at every look would lock the account."""
    await open_account(database, "boss", Role.OPERATOR)
    settings = settings_for(database, auth="accounts", envelope_keys=draw_envelope_key("test"))
    app = create_app(settings, model=FakeModel(), jobs=FakeJobs())
    logins: list[str] = []

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") == LOGIN:
            logins.append(scope["method"])
        await app(scope, receive, send)

    async with serving(counting) as url:
        for password in (GOOD, BAD):
            logins.clear()
            observer = Observer(Target(url, None, {"user": "boss", "password": password}))
            for _ in range(LOOKS):
                (row,) = (await observer.look())["rows"]
                assert row["health"] == "healthy"  # whether it lives, anybody may know
            await observer.close()
            assert len(logins) == 1, password
