"""The Kubernetes manifests: by the published schemas, and in agreement with services and each other."""

import re
import shutil
import subprocess
import tomllib
from typing import Any

import kubernetes_validate
import pytest
import yaml

from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.security.envelope_keys import draw_envelope_key
from prodigon_lib.worker.settings import WorkerSettings
from tests.dockerfiles import ROOT, dockerfile, read_stages
from tests.kustomize import Manifest, containers, render
from tests.memory_limits import check_ceiling

FOLDER = ROOT / "services" / "k8s"
MANIFESTS = render(FOLDER)
OLDEST, NEWEST = "1.30.0", "1.37.0"
KINDS = {"gateway": GatewaySettings, "model": ModelSettings, "worker": WorkerSettings}
SECRET = "prodigon"
DEPLOYED = [*KINDS, "nginx"]


def called(kind: str, name: str) -> Manifest:
    (found,) = [each for each in MANIFESTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pod(manifest: Manifest) -> Manifest:
    found: Manifest = manifest["spec"]["template"]["spec"]
    return found


def container(name: str) -> Manifest:
    (found,) = containers(called("Deployment", name))
    return found


WORKLOADS = [each for each in MANIFESTS if containers(each)]


def named(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=named)
def test_each_keeps_to_the_schema(manifest: Manifest, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_kustomize_renders_the_same() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on PATH, and no current one in Debian or on PyPI")
    done = subprocess.run(["kubectl", "kustomize", FOLDER], capture_output=True, text=True, check=True)
    theirs = [plain(manifest) for manifest in yaml.safe_load_all(done.stdout)]
    assert sorted(theirs, key=named) == sorted(map(plain, MANIFESTS), key=named)


def plain(value: Any) -> Any:
    """Without the hashes behind the names of generated ConfigMaps, and the label that all have."""
    if isinstance(value, dict):
        kept = {key: plain(each) for key, each in value.items() if key != "app.kubernetes.io/part-of"}
        return {key: each for key, each in kept.items() if (key, each) != ("labels", {})}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return re.sub(r"^(settings|nginx)-[0-9a-z]{10}$", r"\1", value) if isinstance(value, str) else value


@pytest.mark.parametrize("service", KINDS)
def test_each_service_starts_with_what_it_gets(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    about = container(service)
    fields = {name.upper() for name in KINDS[service].model_fields}
    secrets = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in about["env"]}
    assert not secrets.keys() - fields
    assert {(each["name"], each["key"]) for each in secrets.values()} == {(SECRET, name) for name in secrets}
    filled = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://redis", "GROQ_API_KEY": "key"}
    filled |= dict.fromkeys(("ENVELOPE_KEYS", "SERVICE_KEYS"), draw_envelope_key("first"))
    given = called("ConfigMap", "settings")["data"] | {k: v for k, v in filled.items() if k in secrets}
    for name, value in {**given, "PRODIGON_ENV_FILE": ""}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(KINDS[service])
    assert settings.in_production
    slept = about["lifecycle"]["preStop"]["sleep"]["seconds"]
    allowed = pod(called("Deployment", service))["terminationGracePeriodSeconds"]
    assert slept + settings.shutdown_seconds + 5 <= allowed


def test_there_is_no_secret_in_the_repository() -> None:
    assert not [each for each in MANIFESTS if each["kind"] == "Secret"]
    variables = [each for manifest in WORKLOADS for c in containers(manifest) for each in c.get("env", [])]
    assert not [each for each in variables if "value" in each]


@pytest.mark.parametrize("service", KINDS)
def test_no_probe_fails_for_what_all_replicas_share(service: str) -> None:
    """`/health/ready` fails in all of them at once when that is away; the model service shares nothing."""
    about = container(service)
    paths = {name: about[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {
        "startup": "/health/live",
        "liveness": "/health/live",
        "readiness": "/health/ready" if service == "model" else "/health/live",
    }


def test_the_worker_ends_in_order_before_it_is_killed() -> None:
    limit = container("worker")["resources"]["limits"]["memory"].removesuffix("Mi")
    check_ceiling(called("ConfigMap", "settings")["data"]["MEMORY_LIMIT_MB"], int(limit))


def test_a_start_may_take_as_long_as_the_migrations_wait() -> None:
    probe = container("gateway")["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > 60


@pytest.mark.parametrize("manifest", WORKLOADS, ids=named)
def test_the_pods_keep_to_the_restricted_standard(manifest: Manifest) -> None:
    """What the label of our namespace asks for, and a read-only root."""
    spec = pod(manifest)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for each in spec["containers"]:
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= each["resources"]["requests"].keys()
        assert "memory" in each["resources"]["limits"]


@pytest.mark.parametrize("name", DEPLOYED)
def test_service_budget_and_policy_mean_the_pods(name: str) -> None:
    labels = called("Deployment", name)["spec"]["template"]["metadata"]["labels"]
    selectors = [
        called("Deployment", name)["spec"]["selector"]["matchLabels"],
        called("Service", name)["spec"]["selector"],
        called("PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"],
        called("NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)


@pytest.mark.parametrize("service", KINDS)
def test_ports_and_versions_are_the_images(service: str) -> None:
    port = int(read_stages(dockerfile(service).read_text())[-1].only("EXPOSE").rest)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container(service)["ports"] == [{"name": "http", "containerPort": port}]
    assert called("Service", service)["spec"]["ports"][0]["port"] == port
    assert container(service)["image"] == f"prodigon/{service}:{version}"


def test_who_may_speak_to_whom() -> None:
    arrows = {(arrow, way) for name in DEPLOYED for arrow, way in spoken(called("NetworkPolicy", name))}
    ends = {
        "in": {arrow for arrow, way in arrows if way == "in"},
        "out": {a for a, way in arrows if way == "out"},
    }
    assert ends["in"] == ends["out"]  # an answer that one side allows and the other does not is none
    assert ends["in"] == {
        ("nginx", "gateway", 8000),
        ("gateway", "model", 8001),
        ("gateway", "worker", 8002),
        ("worker", "model", 8001),
    }


def spoken(policy: Manifest) -> list[tuple[tuple[str, str, int], str]]:
    me, spec = policy["metadata"]["name"], policy["spec"]
    found = []
    for way, peers, rules in (("in", "from", spec["ingress"]), ("out", "to", spec.get("egress", []))):
        for rule in rules:
            for peer in rule.get(peers, []):
                if (selector := peer.get("podSelector")) is not None:
                    other = selector["matchLabels"]["app"]
                    ends = (other, me) if way == "in" else (me, other)
                    found.append(((*ends, rule["ports"][0]["port"]), way))
    return found


def test_what_scales_by_itself_has_no_number_that_an_apply_would_reset() -> None:
    scaled = [each["spec"] for each in MANIFESTS if each["kind"] == "HorizontalPodAutoscaler"]
    assert {each["scaleTargetRef"]["name"] for each in scaled} == {"gateway", "model"}
    assert all(each["minReplicas"] >= 2 for each in scaled)
    for each in scaled:
        assert "replicas" not in called("Deployment", each["scaleTargetRef"]["name"])["spec"]


def test_the_settings_call_services_that_exist() -> None:
    settings = called("ConfigMap", "settings")["data"]
    for name in ("MODEL_SERVICE_URL", "WORKER_SERVICE_URL"):
        service, port = re.fullmatch(r"http://(\w+):(\d+)", settings[name]).groups()
        assert called("Service", service)["spec"]["ports"][0]["port"] == int(port)


def test_nginx_gets_the_file_that_compose_mounts() -> None:
    assert called("ConfigMap", "nginx")["data"] == {
        "nginx.conf": (ROOT / "services" / "nginx" / "nginx.conf").read_text()
    }
    (mount,) = [each for each in container("nginx")["volumeMounts"] if each["name"] == "config"]
    assert (mount["mountPath"], mount["subPath"]) == ("/etc/nginx/nginx.conf", "nginx.conf")
