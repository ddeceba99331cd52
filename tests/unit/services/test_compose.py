"""compose.yaml: by its schema, and that what it says of services and settings is so."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.security.envelope_keys import draw_envelope_key
from prodigon_lib.worker.settings import WorkerSettings
from tests.dockerfiles import ROOT, dockerfile, read_stages
from tests.memory_limits import check_ceiling

FILE = ROOT / "services" / "compose.yaml"
TEXT = FILE.read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
KINDS = {"gateway": GatewaySettings, "model": ModelSettings, "worker": WorkerSettings}
KEY = draw_envelope_key("first")
GIVEN = {"POSTGRES_PASSWORD": "a1", "REDIS_PASSWORD": "b2", "USE_MOCK": "true"}
GIVEN |= {"ENVELOPE_KEYS": KEY, "SERVICE_KEYS": KEY}
SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "GROQ_API_KEY", "ENVELOPE_KEYS", "SERVICE_KEYS")


def environment(service: str) -> dict[str, str]:
    """As Compose fills it in."""

    def value(match: re.Match[str]) -> str:
        return GIVEN.get(match[1]) or (match[3] if match[2] == ":-" else "") or ""

    pattern = r"\$\{(\w+)(:[-?])?([^}]*)\}"
    found = SERVICES[service]["environment"]
    return {name: re.sub(pattern, value, str(text)) for name, text in found.items()}


def test_it_keeps_to_the_schema() -> None:
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, FILE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("service", KINDS)
def test_each_service_starts_in_production_with_what_it_gets(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = KINDS[service]
    given = environment(service)
    assert not given.keys() - {name.upper() for name in kind.model_fields}
    for name in [*os.environ]:
        if name in {field.upper() for field in kind.model_fields}:
            monkeypatch.delenv(name)
    for name, value in {**given, "ENVIRONMENT": "production", "PRODIGON_ENV_FILE": ""}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(kind)
    assert settings.in_production
    assert settings.shutdown_seconds + 5 <= int(SERVICES[service]["stop_grace_period"].removesuffix("s"))


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_has_a_value_here(name: str) -> None:
    uses = re.findall(rf"\$\{{{name}(:[-?])([^}}]*)\}}", TEXT)
    assert uses
    # Left empty only where a start without it says what is missing; asked for everywhere else.
    assert {use for use, _ in uses} == {":-" if name == "GROQ_API_KEY" else ":?"}
    assert all(text == "" for use, text in uses if use == ":-")


def test_only_nginx_is_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"nginx"}
    assert COMPOSE["networks"]["inside"]["internal"] is True
    outside = {name for name, service in SERVICES.items() if "outside" in service["networks"]}
    assert outside == {"nginx", "model"}  # the model service calls the provider


@pytest.mark.parametrize("service", SERVICES)
def test_all_are_watched_limited_and_come_back(service: str) -> None:
    about = SERVICES[service]
    image = read_stages(dockerfile(service).read_text())[-1] if service in KINDS else None
    assert "healthcheck" in about or (image is not None and image.all("HEALTHCHECK"))
    assert about["restart"] == "unless-stopped"
    assert {"cpus", "memory", "pids"} <= about["deploy"]["resources"]["limits"].keys()


def test_the_worker_ends_in_order_before_it_is_killed() -> None:
    limit = SERVICES["worker"]["deploy"]["resources"]["limits"]["memory"].removesuffix("M")
    check_ceiling(environment("worker")["MEMORY_LIMIT_MB"], int(limit))


@pytest.mark.parametrize("service", [*KINDS, "nginx"])
def test_ours_can_write_nothing_and_gain_nothing(service: str) -> None:
    about = SERVICES[service]
    assert about["read_only"] is True
    assert about["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in about["security_opt"]


@pytest.mark.parametrize("service", KINDS)
def test_each_is_built_from_its_dockerfile(service: str) -> None:
    build = SERVICES[service]["build"]
    assert (FILE.parent / build["context"] / build["dockerfile"]).resolve() == dockerfile(service)


def test_they_wait_for_what_they_need() -> None:
    for service, about in SERVICES.items():
        for other, wait in about.get("depends_on", {}).items():
            assert wait["condition"] == "service_healthy", f"{service} does not wait for {other}"


def test_nginx_has_the_one_config_and_its_names() -> None:
    (mount,) = SERVICES["nginx"]["volumes"]
    source, target, mode = mount.split(":")
    config = (FILE.parent / source).read_text()
    assert (target, mode) == ("/etc/nginx/nginx.conf", "ro")
    named = set(re.findall(r"^\s*server (\w+):(\d+)", config, re.MULTILINE))
    ports = {name: read_stages(dockerfile(name).read_text())[-1].only("EXPOSE").rest for name in KINDS}
    assert named
    assert named <= set(ports.items())
    assert {name for name, _ in named} <= SERVICES["nginx"]["depends_on"].keys()
    listened = set(re.findall(r"^\s*listen (\d+)", config, re.MULTILINE))
    (published,) = SERVICES["nginx"]["ports"]
    assert published.rpartition(":")[2] in listened
    assert environment("worker")["MODEL_SERVICE_URL"].rpartition(":")[2] in listened
