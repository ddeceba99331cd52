"""Postgres and Redis that hosts reach by an address, with a password."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from prodigon_lib.stack.postgres import EmbeddedPostgres
from tests.integration.conftest import UNSAFE_BUT_FAST, run_sql

PASSWORD = "for-these-tests-only"
USER = "prodigon"
PORT = 5432
RULES = """
local all all trust
host all all {addresses} scram-sha-256
"""


@dataclass(frozen=True)
class Database:
    url: str
    """As a host reaches it."""
    local: str
    """As this process reaches it, whatever happens to the network."""


@dataclass(frozen=True)
class PostgresServer:
    address: str
    embedded: EmbeddedPostgres

    def new_database(self) -> Database:
        """An empty one."""
        name = f"test_{uuid4().hex}"
        run_sql(self.embedded.url(), f"CREATE DATABASE {name} OWNER {USER}")
        url = f"postgresql://{USER}:{PASSWORD}@{self.address}:{PORT}/{name}"
        return Database(url, self.embedded.url(name))


@contextmanager
def postgres_at(address: str, addresses: str) -> Iterator[PostgresServer]:
    """A server that asks for a password; gone at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="prodigon-hosts-"))
    rules = folder / "pg_hba.conf"
    rules.write_text(RULES.format(addresses=addresses))
    rules.chmod(0o644)
    settings = {**UNSAFE_BUT_FAST, "listen_addresses": address, "port": str(PORT), "hba_file": str(rules)}
    server = EmbeddedPostgres(folder / "data", folder / "postgres.log", settings=settings)
    try:
        server.start()
        run_sql(server.url(), f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
        yield PostgresServer(address, server)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
