"""Looks into a running service from outside: no restart, no change of its code, hardly a cost.

py-spy reads the memory of another process, for which the system wants rights: root on macOS, `SYS_PTRACE` in
a container, and on Linux root or `kernel.yama.ptrace_scope=0`. Where they are lacking, the same application
is served from this process and a sampler looks at its thread: less real, and said so.
"""

import asyncio
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.types import ASGIApp

from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.load_result import LoadResult
from prodigon_lib.workshop.profile import Profile
from prodigon_lib.workshop.sampler import sampled_threads
from prodigon_lib.workshop.serving import serve
from prodigon_lib.workshop.targets import Body, Target

RATE = 200
MOST_SECONDS = 30.0
LATE = 10.0
"""How long py-spy may take beyond the time it was given, to begin and to write."""


class CannotAttach(WorkshopError):
    """py-spy is missing, or has no right to look into that process."""

    default_code = "CANNOT_ATTACH"


@dataclass(frozen=True)
class Live:
    """A service under load, seen from outside. `how` says by what, and why so if not by py-spy."""

    profile: Profile
    load: LoadResult
    how: str


def attach(pid: int, *, seconds: float = 3.0, rate: int = RATE) -> Profile:
    """What a process does in the next seconds, `rate` looks a second; threads that wait are left out.

    Raises:
        CannotAttach: there is no py-spy, or no right to look.
        ValueError: a time beyond half a minute.
    """
    if not 1 <= seconds <= MOST_SECONDS:
        raise ValueError(f"1 to {MOST_SECONDS:g} seconds")
    with TemporaryDirectory() as folder:
        out = Path(folder, "stacks")
        order = ["record", "--pid", str(pid), "--duration", str(round(seconds)), "--rate", str(rate)]
        order += ["--format", "raw", "--function", "--full-filenames", "--nonblocking", "--output", str(out)]
        try:
            ended = subprocess.run(
                [py_spy(), *order], capture_output=True, timeout=seconds + LATE, check=False
            )
        except subprocess.TimeoutExpired:
            raise CannotAttach(f"py-spy did not come back from process {pid}") from None
        if ended.returncode or not out.is_file():
            raise CannotAttach(f"py-spy may not look into process {pid} here ({last_line(ended.stderr)})")
        return Profile.parse(out.read_text(encoding="utf-8"))


def py_spy() -> str:
    """Its program, of this environment before any other.

    Raises:
        CannotAttach: it is not installed.
    """
    own = shutil.which("py-spy", path=sysconfig.get_path("scripts"))
    found = own or shutil.which("py-spy")
    if found is None:
        raise CannotAttach("py-spy is not installed: pip install py-spy")
    return found


def last_line(said: bytes) -> str:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("Error: ") if lines else "it said nothing"


async def profile_under_load(
    pid: int, url: str, path: str, body: Body, *, instead: ASGIApp, in_flight: int = 8, seconds: float = 3.0
) -> Live:
    """Load on a running service, and where its time goes meanwhile.

    Args:
        url: of the service whose process is `pid`; `path` is what is asked, with `body`.
        instead: the same application, for where py-spy may not look.
    """

    async def load(base: str) -> LoadResult:
        target = Target(f"{base}{path}", body=body)
        return await closed_loop(target, in_flight=in_flight, seconds=seconds + 0.5)

    loading = asyncio.create_task(load(url))
    try:
        profile = await asyncio.to_thread(attach, pid, seconds=seconds)
        return Live(profile, await loading, f"py-spy, looking into process {pid}")
    except CannotAttach as fault:
        await loading
        with serve(instead) as served, sampled_threads("served", "AnyIO worker thread") as run:
            result = await load(served.url)
        return Live(
            run.profile, result, f"a sampler in this process, on the same application: {fault.message}"
        )
    finally:
        loading.cancel()
