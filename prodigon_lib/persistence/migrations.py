"""Runs the migrations, and tells cheaply whether any are due.

python -m prodigon_lib.persistence.migrations     upgrades the database of DATABASE_URL to the newest revision
"""

import os
import re
from pathlib import Path

import asyncpg

from prodigon_lib.core.locations import migrations_folder
from prodigon_lib.persistence.url import DatabaseUrl, parse_database_url

REVISION = re.compile(r'^(down_)?revision(?::[^=]*)? = (?:"(\w+)"|None)', re.MULTILINE)


def newest_revision() -> str:
    """The revision that no other follows."""
    revisions, followed = _read_revisions()
    (head,) = revisions - followed
    return head


def known_revisions() -> frozenset[str]:
    """Those that this code has; a database that is at another one has met newer code."""
    return frozenset(_read_revisions()[0])


def _read_revisions() -> tuple[set[str], set[str]]:
    """All, and those that another follows; read from the files: Alembic takes half a second to load."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for file in (migrations_folder() / "versions").glob("*.py"):
        for down, name in REVISION.findall(file.read_text(encoding="utf-8")):
            (followed if down else revisions).add(name)
    return revisions, followed


async def current_revision(url: DatabaseUrl) -> str | None:
    """The database's revision; `None` for an empty database."""
    connection = await asyncpg.connect(url.dsn, timeout=5)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close()


def upgrade(url: DatabaseUrl, revision: str = "head") -> None:
    """Bring the database to `revision`. Blocks; not for a running event loop."""
    from alembic import command

    command.upgrade(alembic_config(url), revision)


def downgrade(url: DatabaseUrl, revision: str = "base") -> None:
    from alembic import command

    command.downgrade(alembic_config(url), revision)


def alembic_config(url: DatabaseUrl, folder: Path | None = None):  # type: ignore[no-untyped-def]
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder or migrations_folder()).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["database_url"] = url
    return config


if __name__ == "__main__":
    upgrade(parse_database_url(os.environ["DATABASE_URL"]))
