"""What a Dockerfile makes, made in a folder and run in namespaces: no container engine is needed.

The lock's packages are linked from the environment of the tests, which installed the same files by the same
hashes (a unit test compares the locks); every other step of the Dockerfile is run as it stands there.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from prodigon_lib.stack.postgres import let_walk
from tests.dockerfiles import ROOT, Stage, dockerfile, ignore_lines, read_stages, sent_to_the_builder
from tests.integration.services.hosts import Host, only_child

RUNTIME_LOCK = "services/requirements.lock"
BUILD_LOCK = "services/build.lock"
CONTAINER = """
mount -o remount,bind,ro / && exec setpriv --reuid "$1" --regid "$2" --clear-groups "${@:3}"
"""
"""The file system turned read-only, the user changed; then whatever the image runs is process number 1."""


@dataclass(frozen=True)
class Image:
    """What is in its `/app`, and the `/venv` that all images share, since all are built alike."""

    app: Path
    venv: Path
    stage: Stage

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Nothing of this process's own."""
        path = self.stage.environment["PATH"].replace("/venv", str(self.venv))
        return {**self.stage.environment, "PATH": path.replace("$PATH", "/usr/bin:/bin"), **settings}

    def run(self, host: Host, settings: Mapping[str, str], log: Path) -> psutil.Process:
        """Start its CMD on a host, as a container engine would."""
        command = contained(self.stage.only("USER").rest, self.stage.only("CMD").listed)
        return only_child(host.start(command, self.environment(settings), self.app, log))

    def healthy(self, host: Host) -> bool:
        """Whether its HEALTHCHECK says so."""
        command = ["ip", "netns", "exec", host.namespace, *self.stage.only("HEALTHCHECK").listed]
        done = subprocess.run(command, env=self.environment({}), cwd=self.app, capture_output=True)
        assert (done.stdout, done.stderr) == (b"", b"")
        return done.returncode == 0


def contained(user: str, command: Sequence[str]) -> list[str]:
    namespaces = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child"]
    return [*namespaces, "bash", "-c", CONTAINER, "container", *user.split(":"), *command]


def build_environment(root: Path) -> Path:
    """The first stage, from its first line to its last: the folder that the images have as `/venv`."""
    stage = read_stages(dockerfile("gateway").read_text())[0]
    venv, folder = root / "venv", root / stage.only("WORKDIR").rest.lstrip("/")
    folder.mkdir()
    copy_from_the_repository(stage, folder)
    locked, wheel = stage.all("RUN")
    assert all(f"--require-hashes -r {lock}" in locked.rest for lock in (RUNTIME_LOCK, BUILD_LOCK))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    link_locked(folder / RUNTIME_LOCK, venv)
    environment = {**os.environ, **stage.environment}
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = wheel.rest.replace("/venv", str(venv))
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    let_walk(venv)
    let_walk(Path(sys.base_prefix))
    return venv


def image(service: str, root: Path, venv: Path) -> Image:
    """The last stage."""
    stage = read_stages(dockerfile(service).read_text())[-1]
    app = root / service / stage.only("WORKDIR").rest.lstrip("/")
    copy_from_the_repository(stage, app)
    return Image(app, venv, stage)


def copy_from_the_repository(stage: Stage, folder: Path) -> None:
    for sources, target in stage.copied:
        for source in sources:
            into = folder / target / Path(source).name if target.endswith("/") else folder / target
            copy(ROOT / source, into)


def copy(source: Path, target: Path) -> None:
    ignore = ignore_lines()

    def left_out(above: str, names: list[str]) -> list[str]:
        paths = {name: str((Path(above) / name).relative_to(ROOT)) for name in names}
        return [name for name, path in paths.items() if not sent_to_the_builder(path, ignore)]

    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=left_out)
    else:
        shutil.copyfile(source, target)


def link_locked(lock: Path, venv: Path) -> None:
    """Install what the lock names, and nothing else, without a network."""
    (packages,) = venv.glob("lib/python*/site-packages")
    for line in re.findall(r"^(\S+==[^\\\n]+)", lock.read_text(), re.MULTILINE):
        wanted = Requirement(line.strip())
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        found = distribution(wanted.name)
        assert wanted.specifier.contains(found.version), f"{wanted}, not {found.version}"
        for file in found.files or ():
            if file.parts[0] != "..":
                (packages / file).parent.mkdir(parents=True, exist_ok=True)
                (packages / file).symlink_to(file.locate().resolve())
