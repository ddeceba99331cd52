"""A secret that is planted in a repository is found, in a notebook's output too; ordinary files pass."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from secrets import token_hex, token_urlsafe

import pytest

from tests.secret_scan import BASELINE

ROOT = Path(__file__).parents[2]
RULES = "tests/credentials.py"
KIND = "PRIVATE KEY"
JWT = ".".join(["ey" + "J" + token_urlsafe(20), token_urlsafe(60), token_urlsafe(43)])

PLANTED = {
    "groq.py": f'KEY = "gsk_{token_hex(26)}"',
    "api_key.md": f"Use pdg_{token_urlsafe(16)}_{token_urlsafe(32)} for it.",
    "refresh.txt": f"pdr_{token_urlsafe(32)}",
    "token.json": json.dumps({"authorization": f"Bearer {token_hex(20)}"}),
    "jwt.yaml": f"note: {JWT}",
    "key.pem": f"-----BEGIN {KIND}-----\n{token_urlsafe(48)}\n-----END {KIND}-----",
    "database.env": f"DATABASE_URL=postgresql://ada:{token_hex(8)}@db/prodigon",
    "drawn.py": f'PASSWORD = "{token_urlsafe(48)}"',
}


def notebook(output: str) -> str:
    streams = [{"output_type": "stream", "name": "stdout", "text": ["Connected.\n", f"{output}\n"]}]
    cell = {"cell_type": "code", "source": ["connect()"], "outputs": streams, "metadata": {}}
    return json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}, indent=1)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with the rules of ours, and files that have nothing to hide."""
    (tmp_path / "tests").mkdir()
    for path in (BASELINE, RULES):
        shutil.copy(ROOT / path, tmp_path / path)
    (tmp_path / "ordinary.py").write_text(
        'URL = "postgresql://user:password@db/x"\nTRACE = "0af7651916cd43dd"\n'
    )
    (tmp_path / "ordinary.ipynb").write_text(notebook("ready in 0.4 s, see http://127.0.0.1:8000"))
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    return tmp_path


def scanned(repository: Path, *files: str) -> tuple[int, set[str]]:
    """How the scan ended, and the files that it named."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.secret_scan", *files],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    return run.returncode, set(re.findall(r"^(\S+):\d+: ", run.stdout, re.MULTILINE))


def test_nothing_is_found_where_nothing_is(repository: Path) -> None:
    assert scanned(repository) == (0, set())


def test_each_kind_is_found_in_a_file_and_in_the_output_of_a_notebook(repository: Path) -> None:
    for name, text in PLANTED.items():
        (repository / name).write_text(f"{text}\n")
        (repository / f"{name}.ipynb").write_text(notebook(text.replace("\n", " \\n ")))
    code, found = scanned(repository)
    planted = {*PLANTED, *(f"{name}.ipynb" for name in PLANTED)}
    assert code == 1
    assert planted - found == set()
    assert {name for name in found if name.startswith("ordinary")} == set()


def test_a_commit_is_judged_by_its_own_files(repository: Path) -> None:
    (repository / "groq.py").write_text(PLANTED["groq.py"])
    assert scanned(repository, "ordinary.py")[0] == 0
    assert scanned(repository, "ordinary.py", "groq.py") == (1, {"groq.py"})
