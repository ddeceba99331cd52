"""Where a stack keeps what it has, and the format of all that.

home/format                      the version of this layout
home/stacks/NAME/postgres/       data of the embedded server
home/stacks/NAME/redis/          data of its Redis, where the stack uses one
home/stacks/NAME/logs/           one file a process
home/stacks/NAME/traces/         one file a process
home/stacks/NAME/envelope.keys   what it seals its secrets under
home/stacks/NAME/supervisor.json where the supervisor of a running stack listens
"""

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.locations import home as default_home
from prodigon_lib.stack.faults import as_stack_error
from prodigon_lib.stack.lock import FileLock

FORMAT = 1
STEPS: Mapping[int, Callable[[Path], None]] = {}
"""By the format it starts from: what brings a home to the next one."""

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux


@dataclass(frozen=True, slots=True)
class StackFolder:
    """The places of one stack."""

    home: Path
    name: str

    @property
    def root(self) -> Path:
        return self.home / "stacks" / self.name

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def traces(self) -> Path:
        return self.root / "traces"

    @property
    def address(self) -> Path:
        return self.root / "supervisor.json"

    @property
    def envelope_keys(self) -> Path:
        return self.root / "envelope.keys"

    @property
    def starting(self) -> FileLock:
        """Held while somebody looks for the supervisor or starts it: two at once share one."""
        return FileLock(
            self.root / "starting.lock",
            timeout=60,
            busy=f"another process has been starting '{self.name}' for a minute; end it, then try again",
        )

    @property
    def running(self) -> FileLock:
        """Held by the supervisor, and by its guard: free only once all of the stack is gone."""
        return FileLock(
            self.root / "running.lock",
            timeout=15,
            busy=f"the stack '{self.name}' has not ended: run `prodigon down --name {self.name}` first",
        )

    def log(self, process: str) -> Path:
        return self.logs / f"{process}.log"

    def trace(self, process: str) -> Path:
        return self.traces / f"{process}.jsonl"

    def socket_folder(self, longest: str = "supervisor.sock") -> Path:
        """The stack's own folder when paths in it are short enough for a socket, else a temporary one."""
        if len(str(self.root / longest)) <= LONGEST_SOCKET_PATH:
            return self.root
        tag = sha256(str(self.root).encode()).hexdigest()[:12]
        return private_folder(Path(tempfile.gettempdir()) / f"prodigon-{os.getuid()}-{tag}-supervisor")


def stack_folder(name: str, home: Path | None = None) -> StackFolder:
    """The places of the stack `name`; makes nothing.

    Raises:
        StackError: this is no name for a stack.
    """
    if not NAME.fullmatch(name):
        raise StackError(f"'{name}' is no name for a stack: use up to 40 of a-z, 0-9, - and _")
    return StackFolder(home or default_home(), name)


def known_stacks(home: Path | None = None) -> list[StackFolder]:
    """Every stack that has been started in this home, running or not."""
    root = (home or default_home()) / "stacks"
    if not root.is_dir():
        return []
    return [
        StackFolder(root.parent, path.name) for path in sorted(root.iterdir()) if NAME.fullmatch(path.name)
    ]


def open_folder(folder: StackFolder) -> None:
    """Make the folders and bring the home to this format.

    Raises:
        StackError: it can't be written, or a newer version of the library made it.
    """
    with as_stack_error(folder.home):
        folder.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        bring_up(folder.home)
        for path in (folder.logs, folder.traces):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)


def bring_up(
    home: Path, steps: Mapping[int, Callable[[Path], None]] | None = None, newest: int = FORMAT
) -> None:
    """Take the steps from the home's format to the newest, one at a time, each kept before the next.

    Raises:
        StackError: the home has a newer format, or one that nobody can read.
    """
    file = home / "format"
    if read_format(file) == newest:
        return
    busy = f"another process has been changing {home} for a minute; end it, then try again"
    with FileLock(home / "format.lock", timeout=60, busy=busy):
        found = read_format(file)
        if found is None:
            write_whole(file, f"{newest}\n")
            return
        if found > newest:
            raise StackError(
                f"{home} was written by a newer prodigon (format {found}, this one knows {newest}): "
                "upgrade prodigon, or set PRODIGON_HOME to another folder"
            )
        for step in range(found, newest):
            (STEPS if steps is None else steps)[step](home)
            write_whole(file, f"{step + 1}\n")


def read_format(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except FileNotFoundError:
        return None
    if not text.isdigit():
        raise StackError(f"{file} holds no version: remove it when nothing of prodigon runs, then try again")
    return int(text)


def write_whole(file: Path, text: str) -> None:
    """Write a file that no reader sees half of; readable by us alone."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    draft.replace(file)


def private_folder(path: Path) -> Path:
    """A folder in a place that others can write to, made sure to be ours.

    Raises:
        StackError: somebody else made it before us.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if path.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StackError(f"{path} is not ours alone: remove it, or set PRODIGON_HOME to a shorter path")
    return path
