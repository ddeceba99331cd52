"""What the author of an exercise writes, and the answer that it is given."""

import random
import string
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from prodigon_lib.workshop.checks.findings import Findings
from prodigon_lib.workshop.checks.loading import load_module

LONGEST = 30.0


class Missing(Exception):
    """The answer lacks a name that the check needs. `name` is its, `found` what there is instead."""

    def __init__(self, name: str, found: str) -> None:
        super().__init__(f"{name}: {found}")
        self.name, self.found = name, found


class Lacking(Exception):
    """This machine lacks a program that the check needs: `what`; `how` says how to install it."""

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what}: {how}")
        self.what, self.how = what, how


class Attempt:
    """One answer under check, with what was drawn for this run of the check.

    Args:
        path: a copy of the file, under the exercise's own name: an edit during the check changes nothing.
        seed: drawn for this run; the same seed draws the same inputs.
        folder: an empty one for this run alone, gone afterwards.
    """

    def __init__(self, path: Path, seed: int, folder: Path) -> None:
        self.path, self.seed, self.folder = path, seed, folder
        self.random = random.Random(seed)

    @cached_property
    def text(self) -> str:
        """The file's text: for a config or a proto."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def module(self) -> ModuleType:
        """The file, executed as a module; importable under its own name while the check runs."""
        return load_module(self.path)

    def fresh(self) -> ModuleType:
        """The file executed once more: a module with a state of its own."""
        sys.modules.pop(self.path.stem, None)
        return load_module(self.path)

    def get(self, name: str) -> Any:
        """What the answer defines under `name`.

        Raises:
            Missing: nothing.
        """
        try:
            return getattr(self.module, name)
        except AttributeError:
            raise Missing(name, "not defined") from None

    def token(self, length: int = 12) -> str:
        """A word that no answer can know before."""
        return "".join(self.random.choices(string.ascii_lowercase, k=length))


class Check(ABC):
    """The check of one exercise; its module has exactly one subclass.

    It runs in a process of its own, together with the answer. `seconds` ends it (30 at most); `memory_mb` is
    what it and all processes that it starts may hold together.
    """

    seconds: ClassVar[float] = LONGEST
    memory_mb: ClassVar[int] = 512

    @abstractmethod
    def run(self, attempt: Attempt, findings: Findings) -> Awaitable[None] | None:
        """Measure `attempt` and write it into `findings`; may be `async`."""
