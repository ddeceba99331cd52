"""What a service finds in its environment: its own settings, and what any program needs. Nothing else.

The names of the settings are read from the source of the settings classes: importing them takes a quarter of
a second, and attaching to a stack should not.
"""

import ast
import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.locations import ENV_FILE, PACKAGE, env_file

SERVICES = ("gateway", "model", "worker")
MONOLITH = "monolith"
"""The process that is all of `SERVICES`; it serves on the gateway's port."""

PORT_SETTINGS = {service: f"{service.upper()}_PORT" for service in SERVICES}
"""Settings of the stack itself: a port that is asked for is used, or the start fails."""

GRPC_SETTING = "MODEL_GRPC_PORT"
"""The model service's own setting, which turns gRPC on; in a stack it is the first replica's port."""

OF_THE_STACK = {"MODEL_SERVICE_URL", "WORKER_SERVICE_URL", "WORKER_NAME", "TRACE_FILE"}
"""Settings that a stack gives its services; what the environment says of them is meant for a deployment."""

KEPT = """
PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR TEMP TMP
PYTHONPATH PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX
LD_LIBRARY_PATH DYLD_LIBRARY_PATH SSL_CERT_FILE SSL_CERT_DIR HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
http_proxy https_proxy all_proxy no_proxy CONDA_PREFIX
""".split()
KEPT_PREFIXES = ("LC_", "OTEL_")


def base_environment() -> dict[str, str]:
    """What any child gets: where programs and certificates are, language, the library this process runs."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    kept |= {name: value for name, value in os.environ.items() if name.startswith(KEPT_PREFIXES)}
    path = [str(PACKAGE.parent), *kept.get("PYTHONPATH", "").split(os.pathsep)]
    kept["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(part for part in path if part))
    return kept


def found_settings(given: Mapping[str, object]) -> dict[str, str]:
    """The settings a stack starts with: those given to it, else the environment's, else the `.env` file's.

    Raises:
        StackError: `given` names something that no service has.
    """
    known = known_settings()
    check_names(given, known)
    file = env_file()
    found: dict[str, str] = {}
    for source in (
        values_of(file) if file else {},
        os.environ,
        {name: spelled(v) for name, v in given.items()},
    ):
        found |= {name.upper(): value for name, value in source.items() if name.upper() in known and value}
    return {name: value for name, value in found.items() if name not in OF_THE_STACK}


def check_names(given: Iterable[str], known: frozenset[str]) -> None:
    for name in given:
        if name.upper() in OF_THE_STACK:
            raise StackError(f"{name.upper()} is the stack's own to set; leave it out of settings")
        if name.upper() not in known:
            close = get_close_matches(name.upper(), known, 1)
            raise StackError(
                f"no service has a setting {name}{f'; did you mean {close[0]}?' if close else ''}"
            )


def spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def values_of(file: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(file).items() if value is not None}


def service_environment(
    service: str, settings: Mapping[str, str], stack: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of one service.

    Args:
        settings: as `found_settings` gives them; only what this service reads is passed on.
        stack: what the stack itself decided, such as `DATABASE_URL`; filtered alike.
    """
    own = setting_names(service)
    chosen = {name: value for name, value in {**settings, **stack}.items() if name in own}
    return {**base_environment(), **chosen, ENV_FILE: ""}


@cache
def known_settings() -> frozenset[str]:
    """Every setting of every service, and the stack's own, as the environment spells them."""
    names = {name for service in SERVICES for name in setting_names(service)}
    return frozenset(names | set(PORT_SETTINGS.values()))


@cache
def secret_settings() -> frozenset[str]:
    """Those of `known_settings` whose type says that they are secrets."""
    return frozenset(name for service in SERVICES for name in setting_names(service, typed="SecretStr"))


@cache
def setting_names(service: str, typed: str = "") -> frozenset[str]:
    """The settings of one service's `…Settings` class and of the classes it extends, in capitals.

    Args:
        typed: only those with this in their type.
    """
    classes: dict[str, ast.ClassDef] = {}
    for package in ("core", *(SERVICES if service == MONOLITH else ()), service):
        source = (PACKAGE / package / "settings.py").read_text(encoding="utf-8")
        classes |= {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    return frozenset(fields_of(f"{service.title()}Settings", classes, typed))


def fields_of(name: str, classes: Mapping[str, ast.ClassDef], typed: str) -> set[str]:
    if name not in classes:
        return set()
    found = {
        node.target.id.upper()
        for node in classes[name].body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and not node.target.id.startswith("_")
        and typed in (said := ast.unparse(node.annotation))
        and not said.startswith("ClassVar")
    }
    for base in classes[name].bases:
        found |= fields_of(base.id, classes, typed) if isinstance(base, ast.Name) else set()
    return found
