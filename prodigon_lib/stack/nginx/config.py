"""Writes nginx's configuration: for a stack on this machine, and for what `services/nginx` deploys.

python -m prodigon_lib.stack.nginx.config services/nginx
"""

import os
import pwd
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from prodigon_lib.stack.nginx.balance import DIRECTIVES, Balance
from prodigon_lib.stack.nginx.quoting import quoted
from prodigon_lib.stack.nginx.tls import STRICT, Tls

TEMPLATES = resources.files("prodigon_lib.stack.nginx")
MOST_CONNECTIONS = 8192
USUAL_BODY = "8388608"
"""`MAX_BODY_BYTES` as the services have it when nobody set it."""

KEEPS_IDLE_SINCE = (1, 27, 4)
"""From here on nginx can leave an idle connection open for a while after a reload. Before, it closes it at
once, and a caller that was just about to use it must begin anew."""

KEEP_IDLE = "keepalive_min_timeout 10s;"

DEPLOYED: Mapping[str, Tls | None] = {
    "nginx.conf": None,
    "tls.conf": Tls("/etc/nginx/tls/tls.crt", "/etc/nginx/tls/tls.key", plain="8080"),
}
"""The files of `services/nginx`."""

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service with its replicas, and where nginx listens for it.

    Args:
        service: `model` or `gateway`.
        servers: `host:port` of each replica, by its name.
        tls: what clients must speak there.
    """

    service: str
    listen: str
    servers: Mapping[str, str]
    balance: Balance = field(default_factory=Balance)
    tls: Tls | None = None

    def block(self) -> str:
        lines = [f"zone {self.service} 128k;", *DIRECTIVES[self.balance.policy]]
        for name, address in self.servers.items():
            weight = self.balance.weights.get(name, 1)
            down = " down" if name in self.balance.drained else ""
            lines.append(f"server {address} weight={weight} max_fails=3 fail_timeout=2s{down};")
        # Kept shorter than any server of ours keeps them, so that no request meets one that has just closed.
        lines += ["keepalive 128;", "keepalive_timeout 4s;", "keepalive_requests 100000;"]
        return f"    upstream {self.service} {{\n" + "".join(f"        {line}\n" for line in lines) + "    }"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where nginx runs: lines of the configuration that differ between a stack and a container."""

    main: tuple[str, ...]
    http: tuple[str, ...]
    access_log: str
    connections: int
    body: str = USUAL_BODY


def render(around: Surroundings, upstreams: tuple[Upstream, ...], generation: int = 0) -> str:
    """The whole configuration. `generation` is what `/nginx/live` says of it."""
    servers = [server(each, generation) for each in upstreams]
    filled = {
        "@MAIN@": "\n".join(around.main),
        "@CONNECTIONS@": str(around.connections),
        "@HTTP@": "\n    ".join(around.http),
        "@ACCESS_LOG@": around.access_log,
        "@BODY@": around.body,
        "@UPSTREAMS@": "\n".join(each.block() for each in upstreams),
        "@SERVERS@": "".join(servers).rstrip(),
    }
    text = template("nginx.conf")
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text


def server(upstream: Upstream, generation: int) -> str:
    """Where clients of one service come in; with TLS, a second one that sends them on."""
    tls = upstream.tls
    listen, before, strict = upstream.listen, "", ""
    if tls is not None:
        listen, strict = f"{listen} ssl", f"\n            {STRICT}"
        before = "".join(f"        {line}\n" for line in tls.lines)
    errors = before + template("errors").replace("@STRICT@", strict).rstrip()
    text = template(upstream.service).replace("@LISTEN@", listen).replace("@ERRORS@", errors)
    if tls is not None:
        text += template("plain").replace("@LISTEN@", tls.plain).replace("@PORT@", tls.suffix)
    return text.replace("@GENERATION@", str(generation))


def template(name: str) -> str:
    return (TEMPLATES / f"{name}.template").read_text(encoding="utf-8")


def of_a_stack(
    folder: Path, log: Path, body: str = USUAL_BODY, version: tuple[int, ...] = ()
) -> Surroundings:
    """As whoever runs the stack, with all its files in the stack's folder. One process counts for all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = 2 * MOST_CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, 2 * MOST_CONNECTIONS)
    pid = quoted(folder / "nginx.pid")
    main = ["worker_processes 1;", f"worker_rlimit_nofile {files};", f"pid {pid};"]
    if os.geteuid() == 0:  # else it would give up root's rights, and could not go into the stack's folder
        main.insert(0, f"user {pwd.getpwuid(0).pw_name};")
    paths = temporary_paths(folder) + ((KEEP_IDLE,) if version >= KEEPS_IDLE_SINCE else ())
    return Surroundings(tuple(main), paths, quoted(log), files // 2, body)


def of_a_container() -> Surroundings:
    """Without root, on a read-only file system but for `/tmp`; records go to the container's output."""
    main = ("worker_processes auto;", f"worker_rlimit_nofile {2 * MOST_CONNECTIONS};", "pid /tmp/nginx.pid;")
    own = Path("/tmp")  # noqa: S108 (nobody else is in the container)
    return Surroundings(main, (*temporary_paths(own), KEEP_IDLE), "/dev/stdout", MOST_CONNECTIONS)


def temporary_paths(folder: Path) -> tuple[str, ...]:
    return tuple(f"{name}_temp_path {quoted(folder / name)};" for name in TEMPORARY)


def deployed(tls: Tls | None = None) -> str:
    """`services/nginx/nginx.conf`: clients come in at 8080, gateways and workers call the model at 8081.

    With TLS, `services/nginx/tls.conf`: they come in at 8443, and 8080 sends them there.

    `gateway` and `model` are looked up when nginx starts or reloads, and every address found is a replica.
    """
    return render(
        of_a_container(),
        (
            Upstream("gateway", "8443" if tls else "8080", {"gateway": "gateway:8000"}, tls=tls),
            Upstream("model", "8081", {"model": "model:8001"}),
        ),
    )


if __name__ == "__main__":
    for name, tls in DEPLOYED.items():
        (Path(sys.argv[1]) / name).write_text(deployed(tls), encoding="utf-8")
