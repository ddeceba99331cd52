"""One network and one Postgres for the tests of a module, a site with a database of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from prodigon_lib.persistence.migrations import upgrade
from prodigon_lib.persistence.url import parse_database_url
from tests.integration.services.hosts import Network, network
from tests.integration.services.servers import PostgresServer, postgres_at
from tests.integration.services.site import Site


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture(scope="module")
def server(net: Network) -> Iterator[PostgresServer]:
    with postgres_at(net.gateway, str(net.addresses)) as started:
        yield started


@pytest.fixture
def site(net: Network, server: PostgresServer, tmp_path: Path) -> Iterator[Site]:
    database = server.new_database()
    upgrade(parse_database_url(database.url))
    yield Site(net, database, tmp_path)
    net.clear()
