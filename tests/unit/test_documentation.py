"""The README is part of the product: every setting, endpoint, command and notebook stands in its tables."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from prodigon_lib.cli import app
from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.worker.settings import WorkerSettings
from tests.unit.security.test_policy import with_accounts

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
IN_CODE = set(re.findall(r"`([^`\n]+)`", README))
MAKEFILE = (ROOT / "Makefile").read_text()


def table_cells(column: int = 0) -> set[str]:
    rows = [line.strip("| ").split("|") for line in README.splitlines() if line.startswith("| ")]
    return {code for row in rows if len(row) > column for code in re.findall(r"`([^`]+)`", row[column])}


@pytest.mark.parametrize("kind", [GatewaySettings, ModelSettings, WorkerSettings])
def test_every_setting_is_in_a_table(kind: type) -> None:
    missing = {name.upper() for name in kind.model_fields} - table_cells()
    assert not missing


@pytest.mark.parametrize("kind", [GatewaySettings, ModelSettings, WorkerSettings])
def test_every_number_among_the_defaults_is_the_tables(kind: type) -> None:
    rows = [line.strip("| ").split(" | ") for line in README.splitlines() if line.startswith("| `")]
    shown = {name: row[1].replace(",", "") for row in rows for name in re.findall(r"`([A-Z_]+)`", row[0])}
    numbers = {
        name.upper(): f.default for name, f in kind.model_fields.items() if type(f.default) in (int, float)
    }
    wrong = {
        name: shown[name]
        for name, value in numbers.items()
        if shown[name] not in (f"{value:g}", f"{value}", f"{value / 1024**2:g} MiB")
    }
    assert wrong == {}


def test_every_endpoint_is_in_a_table() -> None:
    paths = create_app(with_accounts()).openapi()["paths"]
    shown = " ".join(table_cells())
    missing = [path for path in paths if not path.startswith("/openai/") and path not in shown]
    assert not missing


def test_every_command_is_in_a_table() -> None:
    shown = " ".join(table_cells())
    commands = get_command(app).commands
    assert not [name for name in commands if f"prodigon {name}" not in shown]


def test_every_make_target_is_in_a_table() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
    assert not [target for target in targets if f"make {target}" not in table_cells()]


def test_every_notebook_is_in_a_table() -> None:
    names = [path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")]
    assert names
    assert not [name for name in names if name not in README]


def test_the_two_commands_come_first() -> None:
    first = README.index("```sh")
    block = README[first : README.index("```", first + 3)]
    assert "make lab" in block
    assert "make test" in block
