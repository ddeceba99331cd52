"""`DATABASE_URL` in every common spelling."""

import pytest

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.persistence.url import parse_database_url

SAME = [
    "postgres://u:p@h:5433/d",
    "postgresql://u:p@h:5433/d",
    "postgresql+asyncpg://u:p@h:5433/d",
    " postgresql://u:p@h:5433/d\n",
]


@pytest.mark.parametrize("spelling", SAME)
def test_every_spelling_is_the_same_database(spelling: str) -> None:
    url = parse_database_url(spelling)
    assert url.dsn == "postgresql://u:p@h:5433/d"
    assert url.sqlalchemy == "postgresql+asyncpg://u:p@h:5433/d"
    assert url.name == "d"


def test_sslmode_goes_where_each_driver_wants_it() -> None:
    url = parse_database_url("postgres://h/d?sslmode=require&application_name=x")
    assert url.connect_args == {"ssl": "require"}
    assert "sslmode" not in url.sqlalchemy
    assert "sslmode=require" in url.dsn
    assert "application_name=x" in url.dsn


def test_a_unix_socket_is_a_host() -> None:
    url = parse_database_url("postgresql://postgres@/d?host=/tmp/a%20b")
    assert "host=/tmp/a%20b" in url.dsn


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("mysql://u:hush@h/d", "postgresql://"),
        ("postgresql://u:hush@h", "database"),
        ("postgresql://u:hush@/d", "host"),
        ("postgresql://u:hush@h:99999/d", "port"),
        ("postgresql://u:hush@h/d?sslmode=maybe", "sslmode"),
        ("hush", "postgresql://"),
    ],
)
def test_a_wrong_one_is_refused_without_its_password(wrong: str, why: str) -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: ") as caught:
        parse_database_url(wrong)
    assert why in caught.value.message
    assert "hush" not in caught.value.message


def test_the_password_is_shown_nowhere() -> None:
    url = parse_database_url("postgresql://u:hush@h/d")
    assert "hush" not in repr(url) + url.shown
