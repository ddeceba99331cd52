"""The panels are built again from their sources, where Node is there."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

import prodigon_lib.widgets

WIDGETS = Path(prodigon_lib.widgets.__file__).parent


@pytest.mark.slow
def test_a_new_build_gives_the_same_bytes(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        give_up("no npm on PATH: apt-get install nodejs npm")
    sources = tmp_path / "js"
    shutil.copytree(WIDGETS / "js", sources, ignore=shutil.ignore_patterns("node_modules"))
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    installed = subprocess.run(install, cwd=sources, capture_output=True, text=True, timeout=150)
    if installed.returncode:
        give_up(f"npm could not install what builds the panels: {installed.stderr.strip()[-300:]}")
    subprocess.run(["node", "build.mjs", str(tmp_path / "built")], cwd=sources, check=True, timeout=120)
    committed = {path.name: path.read_bytes() for path in (WIDGETS / "static").iterdir()}
    built = {path.name: path.read_bytes() for path in (tmp_path / "built").iterdir()}
    assert sorted(built) == sorted(committed)
    assert [name for name in built if built[name] != committed[name]] == []


def give_up(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
