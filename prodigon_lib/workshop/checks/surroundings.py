"""What the process of a check finds around it: an environment without secrets."""

import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from prodigon_lib.core.locations import PACKAGE, home

TAG = "PRODIGON_CHECK"
KEPT = frozenset(
    "PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TERM VIRTUAL_ENV CONDA_PREFIX LD_LIBRARY_PATH"
    " DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH SSL_CERT_FILE SSL_CERT_DIR".split()
)


def environment(tag: str, folder: Path, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a check's process: those named here, and no other.

    A list of what may pass can't forget a secret; a list of what may not always does. The simulated model is
    switched on, since a `.env` file may hold a key that no check should spend.

    Args:
        tag: by which its processes are found again.
        folder: for its temporary files.
        variables: to choose from; `os.environ` if not given.
    """
    given = os.environ if variables is None else variables
    kept = {name: value for name, value in given.items() if name in KEPT or name.startswith("LC_")}
    paths = [*library_root(), *filter(None, given.get("PYTHONPATH", "").split(os.pathsep))]
    return kept | {
        TAG: tag,
        "PRODIGON_HOME": str(home()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "TMPDIR": str(folder),
        "USE_MOCK": "true",
    }


def library_root() -> list[str]:
    """Where this library is to be imported from; an installed one is found anyway.

    Paths named here come before the standard library's own, where installed packages do not belong.
    """
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return [] if str(PACKAGE.parent) in installed else [str(PACKAGE.parent)]
