"""The files beside the code that must not drift from it: the conda environment and the lock."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required(extra: str | None = None) -> list[str]:
    wanted = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    return [canonical(re.match(r"[\w.-]+", line)[0]) for line in wanted]


def test_conda_has_the_python_that_the_project_needs() -> None:
    assert f"python{PROJECT['requires-python']}" in CONDA["dependencies"]


def test_conda_installs_the_project_with_every_extra() -> None:
    (pip,) = [entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    (line,) = pip
    extras = set(re.fullmatch(r"-e \.\[(.+)\]", line)[1].split(","))
    assert extras == set(PROJECT["optional-dependencies"])


def test_conda_brings_the_servers() -> None:
    names = {re.match(r"[\w-]+", entry)[0] for entry in CONDA["dependencies"] if isinstance(entry, str)}
    assert {"postgresql", "redis-server", "nginx"} <= names


def test_the_lock_pins_every_dependency() -> None:
    pinned = {canonical(name) for name in re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE)}
    assert {*required(), *required("lab"), *required("secrets"), *required("test")} <= pinned


def test_the_lock_has_a_hash_for_each_pin_and_no_address() -> None:
    entries = re.split(r"^(?=\S)", LOCK, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in LOCK
