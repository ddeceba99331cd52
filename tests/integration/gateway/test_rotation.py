"""The database's password is rotated under load, and no request fails."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_hex

import httpx
import pytest

from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.stack.postgres import EmbeddedPostgres
from tests.integration.rotated import Load, asking_server, give_role, run, url_of, write_secret
from tests.integration.serving import serving


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    with asking_server() as postgres:
        yield postgres


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for setting, value in (("SECRETS_DIR", str(tmp_path)), ("PRODIGON_ENV_FILE", "")):
        monkeypatch.setenv(setting, value)
    monkeypatch.setattr("prodigon_lib.core.rotation.ASKED_AGAIN_SECONDS", 0)
    return tmp_path / "database_url"


async def ask(http: httpx.AsyncClient, number: int) -> str:
    """Every other caller writes."""
    if number % 2:
        answer = await http.post("/api/v1/chat/sessions", json={"title": f"session of {number}"})
    else:
        answer = await http.get("/api/v1/chat/sessions", params={"limit": 2})
    return "fine" if answer.status_code in (200, 201) else answer.text


async def test_no_request_fails_while_the_password_of_one_role_changes(
    server: EmbeddedPostgres, file: Path
) -> None:
    """It is written down first, so that for a moment the new one is refused and the old one is good."""
    write_secret(file, url_of(server, "site", await give_role(server, "site")))
    app = create_app(load_settings(GatewaySettings))
    async with serving(app) as url, AsyncExitStack() as stack:
        loads = [await stack.enter_async_context(Load(url).running(ask, 2))]
        await loads[0].go_on()
        password = token_hex(16)
        write_secret(file, url_of(server, "site", password))
        app.state.service.secrets.look()
        loads.append(await stack.enter_async_context(Load(url).running(ask, 3)))  # they connect anew
        await loads[1].go_on()
        await run(server, f"ALTER ROLE site PASSWORD '{password}'")
        loads.append(await stack.enter_async_context(Load(url).running(ask, 4)))
        await loads[2].go_on()
    assert {seen for load in loads for seen in load.seen} == {"fine"}


async def test_no_request_fails_while_one_role_takes_over_from_another(
    server: EmbeddedPostgres, file: Path
) -> None:
    """Connections that were there stay with the old role; new ones are the new role's."""
    write_secret(file, url_of(server, "first", await give_role(server, "first")))
    app = create_app(load_settings(GatewaySettings))
    async with serving(app) as url, Load(url).running(ask, 1) as before:
        await before.go_on(10)
        write_secret(file, url_of(server, "second", await give_role(server, "second")))
        await run(server, "ALTER ROLE first NOLOGIN")
        await before.go_on(10)  # its connection goes on
        async with Load(url).running(ask, 8) as after:
            await after.go_on(40)
    assert set(before.seen) == set(after.seen) == {"fine"}
