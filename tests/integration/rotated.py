"""What tests of a rotation share.

Callers that go on meanwhile, a secret that is written down anew, a Postgres that asks for passwords.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Self
from urllib.parse import quote

import httpx

from prodigon_lib.persistence.migrations import upgrade
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.stack.postgres import EmbeddedPostgres
from tests.integration.conftest import run_sql, server_of_its_own
from tests.polling import eventually

Ask = Callable[[httpx.AsyncClient, int], Awaitable[str]]
"""One call of the caller of this number; what came of it."""

ASKS_FOR_PASSWORDS = "local all postgres trust\nlocal all all scram-sha-256\n"


class Load:
    """Callers that ask again and again; what came of it is counted in `seen`."""

    def __init__(self, url: str) -> None:
        self.url, self.over = url, asyncio.Event()
        self.seen: Counter[str] = Counter()

    @asynccontextmanager
    async def running(self, ask: Ask, callers: int) -> AsyncIterator[Self]:
        tasks = [asyncio.create_task(self._call(ask, number)) for number in range(callers)]
        try:
            yield self
        finally:
            self.over.set()
            await asyncio.gather(*tasks)

    async def go_on(self, calls: int = 20) -> None:
        """Returns once so many more were answered."""
        wanted = self.seen.total() + calls
        await eventually(lambda: self.seen.total() >= wanted, within=60)

    async def _call(self, ask: Ask, number: int) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as http:
            while not self.over.is_set():
                self.seen[await ask(http, number)] += 1


def write_secret(path: Path, value: str) -> None:
    """In one step: a reader finds the old value or the new one."""
    draft = path.with_name("next")
    draft.write_text(f"{value}\n", encoding="utf-8")
    draft.replace(path)


@contextmanager
def asking_server() -> Iterator[EmbeddedPostgres]:
    """One that asks everybody but its own user for a password; database and tables are made."""
    with server_of_its_own() as postgres:
        (postgres.data / "pg_hba.conf").write_text(ASKS_FOR_PASSWORDS)
        run_sql(postgres.url(), "SELECT pg_reload_conf()")
        run_sql(postgres.url(), "CREATE DATABASE site")
        upgrade(parse_database_url(postgres.url("site")))
        yield postgres


async def run(server: EmbeddedPostgres, statement: str) -> None:
    await asyncio.to_thread(run_sql, server.url("site"), statement)


async def give_role(server: EmbeddedPostgres, role: str) -> str:
    """The password of a new role, which may do everything with the tables."""
    password = token_hex(16)
    await run(server, f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    await run(server, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    return password


def url_of(server: EmbeddedPostgres, role: str, password: str) -> str:
    return f"postgresql://{role}:{password}@/site?host={quote(str(server.sockets))}"
