"""Hosts on one machine: network namespaces with addresses of their own, on one bridge that is the network.

with network() as net:
    host = net.host("model-1")
    host.start([sys.executable, "-m", ...], environment, folder)
    host.cut()   # its cable is pulled: nothing says so to whoever waits for it
    host.plug()
"""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Network
from itertools import count
from pathlib import Path

import psutil
import pytest

from tests.polling import eventually_sync

NETWORK = IPv4Network("10.213.0.0/16")
"""Each network is one /24 of it."""
TAG = "pdg"
FIRST_HOST = 10


def ip(*words: object) -> str:
    done = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(map(str, words))}: {done.stderr}"
    return done.stdout


def need_namespaces() -> None:
    """Skip where this machine has no network namespaces for us; in CI, which runs as root, fail."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    if shutil.which("ip") is None:
        reason = "no ip on PATH: apt-get install iproute2"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@dataclass
class Host:
    name: str
    namespace: str
    cable: str
    """The bridge's end of it."""
    address: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
    ) -> subprocess.Popen[bytes]:
        """Run a program there; it is killed with the network."""
        with log.open("ab") as out:
            started = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, *command],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self.processes.append(started)
        return started

    def cut(self) -> None:
        ip("link", "set", self.cable, "down")

    def plug(self) -> None:
        ip("link", "set", self.cable, "up")

    def remove(self) -> None:
        for process in self.processes:
            end_with_children(process)
        with suppress(AssertionError):  # it was never laid
            ip("link", "del", self.cable)
        ip("netns", "del", self.namespace)


@dataclass
class Network:
    bridge: str
    addresses: IPv4Network
    hosts: list[Host] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=partial(count, FIRST_HOST))

    @property
    def gateway(self) -> str:
        """Where the hosts find this machine itself."""
        return str(self.addresses[1])

    def host(self, name: str) -> Host:
        number = next(self._numbers)
        tag = self.bridge.removesuffix("b")
        made = Host(name, f"{tag}-{name}", f"{tag}{number}", str(self.addresses[number]))
        ip("netns", "add", made.namespace)
        self.hosts.append(made)
        ip("link", "add", made.cable, "type", "veth", "peer", "name", "eth0", "netns", made.namespace)
        ip("link", "set", made.cable, "master", self.bridge, "up")
        for words in (
            ("addr", "add", f"{made.address}/{self.addresses.prefixlen}", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("-n", made.namespace, *words)
        return made

    def clear(self) -> None:
        """Remove the hosts, and what runs there."""
        while self.hosts:
            self.hosts.pop().remove()


@contextmanager
def network() -> Iterator[Network]:
    """A bridge with no host on it yet. All of it is gone at the end, also after a failure."""
    need_namespaces()
    made = Network(f"{TAG}{secrets.token_hex(3)}b", free_addresses())
    ip("link", "add", made.bridge, "type", "bridge")
    try:
        ip("addr", "add", f"{made.gateway}/{made.addresses.prefixlen}", "dev", made.bridge)
        ip("link", "set", made.bridge, "up")
        yield made
    finally:
        try:
            made.clear()
        finally:
            ip("link", "del", made.bridge)


def free_addresses() -> IPv4Network:
    routes = ip("-4", "route")
    subnets = list(NETWORK.subnets(new_prefix=24))
    while True:
        found = secrets.choice(subnets)
        if str(found.network_address) not in routes:
            return found


def end_with_children(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGKILL)
    process.kill()
    process.wait(10)


def only_child(process: subprocess.Popen[bytes]) -> psutil.Process:
    """Of a program that starts another in a namespace of its own: that other."""
    children = eventually_sync(lambda: psutil.Process(process.pid).children())
    (child,) = children
    return child
