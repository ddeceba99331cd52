"""The wheel alone, in an empty folder: it carries the workshop, serves it, and starts a stack."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prodigon_lib.widgets.assets import ON_DEMAND
from tests.integration.stack.processes import ROOT
from tests.polling import eventually_sync

TOKEN = "a-token-for-this-test"
USE = """
import json, prodigon_lib
from prodigon_lib import Stack
from prodigon_lib.core.locations import home, migrations_folder
with Stack.start(profile="instant") as stack:
    text = stack.client().generate("What is a lease?").text
    found = {"package": prodigon_lib.__file__, "home": str(home()), "migrations": str(migrations_folder())}
    print(json.dumps({**found, "healthy": stack.status().healthy, "text": text}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from what is in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def environment(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """As on a machine that has the wheel and its dependencies: the checkout is not what Python finds."""
    monkeypatch.delenv("PRODIGON_HOME")
    jupyter = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("RUNTIME", "CONFIG", "DATA")}
    return {**os.environ, **jupyter, "PYTHONPATH": str(installed)}


def test_it_carries_the_workshop(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("notebooks", "exercises", "solutions", "migrations"):
        own = [
            path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix in {".ipynb", ".py"}
        ]
        for path in own:
            assert f"prodigon_lib/_workshop/{path.relative_to(ROOT).as_posix()}" in names
    assert "prodigon_lib/py.typed" in names
    assert {f"prodigon_lib/widgets/static/{name}" for name in ("panels.js", *ON_DEMAND)} <= names
    assert not [name for name in names if name.startswith("prodigon_lib/widgets/js/")]
    assert not [name for name in names if name.startswith(("tests/", "services/")) or ".prodigon" in name]


def test_from_an_empty_folder_to_a_running_stack(environment: dict[str, str], walkable: Path) -> None:
    folder = walkable / "empty" / "mine"
    folder.parent.mkdir()
    with lab(folder, environment) as url:
        request = urllib.request.Request(
            f"{url}/api/contents/notebooks", headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            served = {entry["name"] for entry in json.load(answer)["content"]}
    assert served == {path.name for path in (ROOT / "notebooks").iterdir() if not path.name.startswith(".")}
    told = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=folder / "notebooks",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["healthy"]
    assert found["text"]
    assert found["home"] == str(folder / ".prodigon")
    for part in ("package", "migrations"):
        assert found[part].startswith(environment["PYTHONPATH"])


@contextmanager
def lab(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """`prodigon lab DIR --no-browser` beside DIR; gives its address once it answers."""
    with (folder.parent / "lab.log").open("wb") as log:
        command = [sys.executable, "-m", "prodigon_lib.cli", "lab", str(folder), "--no-browser"]
        with subprocess.Popen(
            [*command, f"--IdentityProvider.token={TOKEN}"],
            cwd=folder.parent,
            env=environment,
            stdout=log,
            stderr=log,
        ) as process:
            try:
                yield eventually_sync(lambda: answering(process.pid, environment), within=60, every=0.2)
            finally:
                process.terminate()
                assert process.wait(30) == 0


def answering(pid: int, environment: dict[str, str]) -> str | None:
    """The address of the JupyterLab that runs under this pid, from the file that it writes for others."""
    file = Path(environment["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{pid}.json"
    try:
        url: str = json.loads(file.read_text())["url"].rstrip("/")
        with urllib.request.urlopen(f"{url}/api", timeout=5):
            return url
    except (OSError, ValueError, urllib.error.URLError):
        return None
