"""Renders a kustomization as far as ours go: resources, generated ConfigMaps without a hash, image tags."""

from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
KNOWN = {"apiVersion", "kind", "namespace", "resources", "labels", "images", "configMapGenerator"}


def render(folder: Path) -> list[Manifest]:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert not kustomization.keys() - KNOWN, "this renderer does not know all of it"
    found: list[Manifest] = []
    for name in kustomization.get("resources", []):
        path = folder / name
        found += render(path) if path.is_dir() else read_all(path)
    found += [config_map(each, folder) for each in kustomization.get("configMapGenerator", [])]
    tags = {each["name"]: each["newTag"] for each in kustomization.get("images", [])}
    for manifest in found:
        if "namespace" in kustomization and manifest["kind"] != "Namespace":
            manifest["metadata"]["namespace"] = kustomization["namespace"]
        for container in containers(manifest):
            if tag := tags.get(container["image"]):
                container["image"] += f":{tag}"
    return found


def read_all(path: Path) -> list[Manifest]:
    return [manifest for manifest in yaml.safe_load_all(path.read_text()) if manifest]


def config_map(generator: Manifest, folder: Path) -> Manifest:
    data = dict(literal.split("=", 1) for literal in generator.get("literals", []))
    data |= {name: (folder / name).read_text() for name in generator.get("files", [])}
    metadata = {"name": generator["name"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def containers(manifest: Manifest) -> list[Manifest]:
    if manifest["kind"] not in ("Deployment", "Job"):
        return []
    found: list[Manifest] = manifest["spec"]["template"]["spec"]["containers"]
    return found
