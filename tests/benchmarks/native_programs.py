"""The two programs in C: the model server and the load client. Built when older than their source."""

import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent / "native"


def program(name: str, folder: Path) -> Path:
    """The built program `name` (`upstream` or `loadgen`), in `folder`.

    Raises:
        SystemExit: there is no C compiler.
    """
    source, built = SOURCES / f"{name}.c", folder / name
    if built.exists() and built.stat().st_mtime > source.stat().st_mtime:
        return built
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("the benchmarks need a C compiler; on Debian: apt-get install gcc libc6-dev")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-O2", "-w", "-o", str(built), str(source)], check=True)
    return built
