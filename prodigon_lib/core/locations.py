"""Where things are: the workshop's files, the learner's state, the `.env` file.

A checkout, or a folder that `prodigon lab DIR` filled, is a workshop: it has `notebooks/` with the tour.
It is found from the current folder upwards, so a kernel that runs in `notebooks/` finds the same one as a
terminal that runs at the top.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
PACKAGED_WORKSHOP = PACKAGE / "_workshop"
FOLDERS = ("notebooks", "exercises", "solutions", "migrations")
TOUR = "00_start_here.ipynb"
ENV_FILE = "PRODIGON_ENV_FILE"


def is_workshop(folder: Path) -> bool:
    return os.path.isfile(folder / "notebooks" / TOUR)  # noqa: PTH113 (false too where we may not look)


def find_workshop(start: Path | None = None) -> Path | None:
    """The workshop that `start` (the current folder) lies in, else the checkout the library runs from."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if is_workshop(folder):
            return folder
    checkout = PACKAGE.parent
    return checkout if is_workshop(checkout) else None


def workshop_folder(name: str) -> Path:
    """The folder `name` (one of `FOLDERS`): the workshop's own, else the copy inside the package.

    Raises:
        FileNotFoundError: the installation has neither.
    """
    workshop = find_workshop()
    for root in (workshop, PACKAGE.parent, PACKAGED_WORKSHOP):
        if root is not None and (root / name).is_dir():
            return root / name
    raise FileNotFoundError(f"this installation has no '{name}' folder; install prodigon again")


def migrations_folder() -> Path:
    """The migrations that belong to this version of the code, never a copy in a learner's folder."""
    for root in (PACKAGE.parent, PACKAGED_WORKSHOP):
        if (root / "migrations" / "env.py").is_file():
            return root / "migrations"
    raise FileNotFoundError("this installation has no migrations; install prodigon again")


def home() -> Path:
    """Where all state is: `PRODIGON_HOME`, else `.prodigon` of the workshop, else of the user."""
    if named := os.environ.get("PRODIGON_HOME"):
        return Path(named).expanduser().resolve()
    workshop = find_workshop()
    return (workshop or Path.home()) / ".prodigon"


def env_file() -> Path | None:
    """The `.env` to read: the current folder's, else the workshop's, else that in `home()`.

    `PRODIGON_ENV_FILE` names another, or none when empty: a stack gives its services what it read itself.
    """
    if (named := os.environ.get(ENV_FILE)) is not None:
        return Path(named).expanduser() if named else None
    workshop = find_workshop()
    candidates = [Path.cwd() / ".env", *([workshop / ".env"] if workshop else []), home() / ".env"]
    return next((path for path in candidates if os.path.isfile(path)), None)  # noqa: PTH113
