"""The gateways under test, each with one worker on the gateway's core, in front of the same model server."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from prodigon_lib.stack.ports import HOST
from tests.benchmarks import peers
from tests.benchmarks.children import Children
from tests.benchmarks.cores import Cores
from tests.benchmarks.loads import Load, Style
from tests.benchmarks.native_programs import SOURCES, program

OPENAI_PATH = "/v1/chat/completions"
UPSTREAM_SECONDS = 1800
"""The model server ends by itself after these, whatever became of the run."""
START_SECONDS = 25.0
LITELLM_START_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Target:
    """`slow` ones get longer runs and fewer of them: their streams take seconds."""

    name: str
    port: int
    process: subprocess.Popen[str]
    style: Style = Style.OPENAI
    json_path: str = OPENAI_PATH
    stream_path: str = OPENAI_PATH
    key: str | None = None
    slow: bool = False
    start_seconds: float = START_SECONDS

    def url(self, load: Load) -> str:
        return f"http://{HOST}:{self.port}{self.stream_path if load.streams else self.json_path}"


@dataclass(slots=True)
class Targets:
    """Starts them. `folder` takes programs, bodies and what the peers write."""

    children: Children
    folder: Path
    cores: Cores
    upstream_port: int = 0

    def start(self) -> tuple[list[Target], dict[str, str]]:
        """All that came up, the model server first; and of the others, why not."""
        upstream = self.upstream()
        wait_until_up(upstream)
        up, missing = [upstream], {}
        for name, start in self.known().items():
            target = start()
            if target is None:
                missing[name] = peers.ABSENT
                continue
            try:
                wait_until_up(target)
            except TimeoutError:
                missing[name] = f"did not start: {self.children.last_words(name)}"
                self.children.stop(target.process)
            else:
                up.append(target)
        return up, missing

    def known(self) -> Mapping[str, Callable[[], Target | None]]:
        return {
            "prodigon": lambda: self.prodigon("prodigon", {}),
            "prodigon, traced": lambda: self.prodigon(
                "prodigon, traced", {"TRACE_FILE": str(self.folder / "spans.jsonl")}
            ),
            "asgi-aiohttp": lambda: self.bare("asgi-aiohttp", "aiohttp_app"),
            "asgi-raw": lambda: self.bare("asgi-raw", "raw_app"),
            "nginx": self.nginx,
            "LiteLLM": self.litellm,
        }

    def upstream(self) -> Target:
        self.upstream_port = free_port()
        command = [str(program("upstream", self.folder)), str(self.upstream_port), str(UPSTREAM_SECONDS)]
        process = self.children.start("upstream", command, core=self.cores.load)
        return Target("upstream", self.upstream_port, process)

    def prodigon(self, name: str, settings: Mapping[str, str]) -> Target:
        port = free_port()
        command = [sys.executable, "-m", "prodigon_lib.stack.serve", "gateway", "--port", str(port)]
        found = {"MODEL_SERVICE_URL": f"http://{HOST}:{self.upstream_port}", **settings}
        process = self.children.start(name, command, core=self.cores.gateway, environment=found)
        paths = ("/api/v1/generate", "/api/v1/generate/stream")
        return Target(name, port, process, Style.PROMPT, *paths)

    def bare(self, name: str, application: str) -> Target:
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", f"tests.benchmarks.bare_asgi:{application}"]
        command += ["--host", HOST, "--port", str(port), "--loop", "uvloop", "--http", "httptools"]
        command += ["--no-access-log", "--log-level", "warning"]
        found = {"UPSTREAM": f"http://{HOST}:{self.upstream_port}"}
        process = self.children.start(name, command, core=self.cores.gateway, environment=found)
        return Target(name, port, process)

    def nginx(self) -> Target | None:
        nginx = peers.nginx()
        if nginx is None:
            return None
        port, state = free_port(), self.folder / "nginx"
        state.mkdir(parents=True, exist_ok=True)
        text = self._filled("nginx.conf.template", {"FOLDER": str(state), "PORT": str(port)})
        user = "user root;\n" if os.geteuid() == 0 else ""
        (state / "nginx.conf").write_text(user + text)
        command = [nginx, "-c", str(state / "nginx.conf"), "-e", str(state / "nginx.err")]
        return Target("nginx", port, self.children.start("nginx", command, core=self.cores.gateway))

    def litellm(self) -> Target | None:
        litellm = peers.litellm()
        if litellm is None:
            return None
        port, key = free_port(), "sk-" + secrets.token_hex(32)  # it refuses to start without one
        config = self.folder / "litellm.yaml"
        config.write_text(self._filled("litellm.yaml.template", {}))
        command = [str(litellm), "--config", str(config), "--host", HOST, "--port", str(port)]
        found = {
            "LITELLM_MASTER_KEY": key,
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MODE": "PRODUCTION",
            "DISABLE_ADMIN_UI": "True",
            "NO_DOCS": "True",
            "PATH": f"{litellm.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": "",
        }
        command += ["--num_workers", "1"]
        process = self.children.start("LiteLLM", command, core=self.cores.gateway, environment=found)
        return Target("LiteLLM", port, process, key=key, slow=True, start_seconds=LITELLM_START_SECONDS)

    def _filled(self, template: str, values: Mapping[str, str]) -> str:
        text = (SOURCES / template).read_text()
        for name, value in {"UPSTREAM": str(self.upstream_port), **values}.items():
            text = text.replace(f"@{name}@", value)
        return text


def wait_until_up(target: Target) -> None:
    """Return once it answers a completion. Raises TimeoutError when it ends, or takes too long."""
    load = Load.json(1)
    end = time.monotonic() + target.start_seconds
    while time.monotonic() < end and target.process.poll() is None:
        request = urllib.request.Request(target.url(load), load.body(target.style), method="POST")
        request.add_header("Content-Type", "application/json")
        if target.key:
            request.add_header("Authorization", f"Bearer {target.key}")
        try:
            with urllib.request.urlopen(request, timeout=3):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(target.name)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])
