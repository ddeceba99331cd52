"""What is committed as built is what the sources give, and the lock says where nothing comes from."""

import hashlib
import json
from pathlib import Path

import pytest

import prodigon_lib.widgets
from prodigon_lib.widgets.assets import ON_DEMAND, asset

WIDGETS = Path(prodigon_lib.widgets.__file__).parent
LOCK = json.loads((WIDGETS / "js" / "package-lock.json").read_text())
FREE = ("MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "(MPL-2.0 OR Apache-2.0)")


def recorded() -> dict[str, str]:
    lines = (WIDGETS / "static" / "SOURCES.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def found() -> dict[str, str]:
    sources = [
        path for path in (WIDGETS / "js").rglob("*") if path.is_file() and "node_modules" not in path.parts
    ]
    built = [path for path in (WIDGETS / "static").iterdir() if path.name != "SOURCES.sha256"]
    return {
        path.relative_to(WIDGETS).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in [*sources, *built]
    }


def test_the_bundles_are_of_these_sources() -> None:
    assert found() == recorded(), "run make widgets and commit what it writes"


def test_the_lock_has_digests_and_no_address() -> None:
    packages = {name: entry for name, entry in LOCK["packages"].items() if name}
    assert packages
    assert not [
        name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")
    ]
    assert not [name for name, entry in packages.items() if "resolved" in entry]


def test_what_is_bundled_is_free_and_its_licences_are_told() -> None:
    text = (WIDGETS / "static" / "THIRD_PARTY_LICENSES").read_text()
    told = {block.split(" ")[0] for block in text.split("-" * 78 + "\n\n")[1:]}
    assert {"mermaid", "katex", "dompurify", "markdown-it", "highlight.js"} <= told
    bundled = [LOCK["packages"].get(f"node_modules/{name}", {}) for name in told]
    assert not {entry["license"] for entry in bundled if "license" in entry} - set(FREE)


@pytest.mark.parametrize("name", ON_DEMAND)
def test_no_bundle_asks_the_network_for_code(name: str) -> None:
    text = asset(name).decode()
    assert "importScripts" not in text
    assert "cdn." not in text
    assert "jsdelivr" not in text
