"""A gatekeeper for secrets."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.planting import LOOK_ALIKES, SECRETS, Draw
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.repository import Repository
from prodigon_lib.workshop.table import Table

HINTS = (
    "Three questions: what does git show of a file that was deleted, and of a branch that nobody merged? What"
    " has a key that a random-looking checksum lacks? And who may have the secret already, when you rewrite?",
    "git log takes --all. A known prefix with the right length is a secret whatever it is called; all else"
    " needs both a name that says what it is, and a value with digits and letters and no ${} or ********.",
    "Loop over patterns such as ghp_[A-Za-z0-9]{36} first, then over (password|token|secret|key)… = (value)"
    " with a test of randomness. Plan all revoke steps, then one rewrite for each path; 1 if any was found.",
)
FATES = ("stays", "file deleted", "line replaced", "on another branch")
FILES = 3
"""For each fate."""
EACH = 2
"""Of each kind of secret, and of each look-alike."""
LEAST_FOUND, MOST_FALSE = 27, 3
HARMLESS = (
    "import json",
    "retries = 3",
    "def answer(prompt):",
    "# to be continued",
    "port: 8000",
    "log level info",
)


@dataclass(frozen=True)
class Planted:
    """A line that was planted: of which kind, what became of it, and the secret in it, if it has one."""

    kind: str
    fate: str
    secret: str


class GatekeeperCheck(Check):
    seconds = 25

    def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        self.draw = Draw(attempt.random)
        planted = self.plant(Repository.new(attempt.folder / "history"))
        attempt.get("main")  # what can't even be loaded says so here
        done = self.keep_gate(attempt.folder / "history")
        steps = [step for line in done.stdout.splitlines() if (step := step_of(line))]
        self.finds(planted, steps, done)
        self.plans(steps, done)
        self.is_silent(planted, done)
        self.lets_through()

    def keep_gate(self, folder: Path) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                [sys.executable, str(self.attempt.path), str(folder)],
                env=os.environ | {"GIT_CEILING_DIRECTORIES": str(self.attempt.folder)},
                capture_output=True, text=True, errors="replace", timeout=10,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            self.findings.expect(
                "a search through a small history", measured="still searching after 10 s", wanted="done",
                holds=False, step="Look at each line once, with patterns that can match in one way.",
            )  # fmt: skip
            raise

    def plant(self, repository: Repository) -> dict[tuple[str, int], Planted]:
        """Secrets and look-alikes, dealt out over files with different fates; by file and line."""
        repository.commit("Begin", {"README.md": "A small service.\n"})
        planted, texts = self.texts()
        main = {name: text for name, text in texts.items() if planted_in(planted, name) != FATES[3]}
        other = {name: text for name, text in texts.items() if name not in main}
        names = self.attempt.random.sample(sorted(main), len(main))
        for part in (names[:4], names[4:]):
            repository.commit(f"Add {', '.join(part)}", {name: main[name] for name in part})
        gone: dict[str, str | None] = {
            name: None if planted_in(planted, name) == FATES[1] else "moved = True\n" * 9
            for name in names if planted_in(planted, name) in FATES[1:3]
        }  # fmt: skip
        repository.commit("Move settings where they belong", gone)
        repository.run("switch", "--quiet", "--create", f"try-{self.attempt.token(5)}", "main~2")
        repository.commit("Try something", other)
        repository.run("switch", "--quiet", "main")
        return planted

    def texts(self) -> tuple[dict[tuple[str, int], Planted], dict[str, str]]:
        """What is planted where, and the text of each file."""
        dealt: dict[str, list[tuple[str, Planted]]] = {}
        files = [(self.file_name(), fate) for fate in FATES for _ in range(FILES)]
        for lines in (self.secrets(), self.look_alikes()):
            for place, (kind, line, secret) in enumerate(self.attempt.random.sample(lines, len(lines))):
                name, fate = files[place % len(files)]
                dealt.setdefault(name, []).append((line, Planted(kind, fate, secret)))
        planted: dict[tuple[str, int], Planted] = {}
        texts: dict[str, str] = {}
        for name, lines_of_file in dealt.items():
            self.attempt.random.shuffle(lines_of_file)
            text = []
            for line, what in lines_of_file:
                text += self.attempt.random.choices(HARMLESS, k=self.attempt.random.randint(1, 3))
                text.append(line)
                planted[name, len(text)] = what
            texts[name] = "\n".join(text) + "\n"
        return planted, texts

    def file_name(self) -> str:
        return (
            f"{self.attempt.token(6)}{self.attempt.random.choice(['.env', '.py', '.yaml', '.ipynb', '.log'])}"
        )

    def secrets(self) -> list[tuple[str, str, str]]:
        return [(kind, *plant(self.draw)) for kind, plant in SECRETS.items() for _ in range(EACH)]

    def look_alikes(self) -> list[tuple[str, str, str]]:
        return [(kind, plant(self.draw), "") for kind, plant in LOOK_ALIKES.items() for _ in range(EACH)]

    def finds(
        self,
        planted: dict[tuple[str, int], Planted],
        steps: Sequence[dict[str, Any]],
        done: "subprocess.CompletedProcess[str]",
    ) -> None:
        places = {place_of(step) for step in steps if step.get("do") == "revoke"}
        missed = [what for place, what in planted.items() if what.secret and place not in places]
        false = [what for place, what in planted.items() if not what.secret and place in places]
        total = sum(bool(what.secret) for what in planted.values())
        with self.findings.together():
            self.findings.at_least(
                f"secrets to revoke that were found, of {total}", total - len(missed), LEAST_FOUND,
                step="Look at what the missed ones have in common: their fate, or their kind?",
                evidence=Table(["missed", "what became of it"], [(what.kind, what.fate) for what in missed])
                if places else done.stderr or "it named no step with do, path and line",
            )  # fmt: skip
            self.findings.at_most(
                f"look-alikes that were reported, of {len(planted) - total}", len(false), MOST_FALSE,
                step="Nobody reads the alarms of a gate that cries at checksums: ask for a name or a form.",
                evidence=Table(["reported, and no secret"], [[what.kind] for what in false]),
            )  # fmt: skip
            self.findings.expect(
                "exit code, with secrets", measured=done.returncode, wanted="not 0",
                holds=done.returncode != 0, step="Only the exit code stops a commit or a build.",
            )  # fmt: skip

    def plans(self, steps: Sequence[dict[str, Any]], done: "subprocess.CompletedProcess[str]") -> None:
        revoke = [place for place, step in enumerate(steps) if step.get("do") == "revoke"]
        rewrite = [place for place, step in enumerate(steps) if step.get("do") == "rewrite"]
        unwritten = {steps[place].get("path") for place in revoke} - {
            steps[place].get("path") for place in rewrite
        }
        with self.findings.together():
            self.findings.expect(
                "files with a secret and without a step to rewrite them", measured=len(unwritten), wanted=0,
                holds=not unwritten, step="Name each file once whose history must be rewritten.",
            )  # fmt: skip
            self.findings.expect(
                "steps to rewrite before the last one to revoke",
                measured=sum(place < revoke[-1] for place in rewrite), wanted=0,
                holds=not any(place < revoke[-1] for place in rewrite), evidence=done.stdout[:600],
                step="Revoke first: a rewritten history takes nothing from those who have read it.",
            )  # fmt: skip

    def is_silent(
        self, planted: dict[tuple[str, int], Planted], done: "subprocess.CompletedProcess[str]"
    ) -> None:
        said = done.stdout + done.stderr
        told = sum(what.secret in said for what in planted.values() if what.secret)
        self.findings.equal(
            "secrets in what it says", told, 0,
            step="Say where a secret stands, and of what kind it is, and not the secret: logs are kept.",
        )  # fmt: skip

    def lets_through(self) -> None:
        """A clean history is let through; one that can't be read is not."""
        clean = Repository.new(self.attempt.folder / "clean")
        clean.commit("Begin", {"service.py": "\n".join(HARMLESS) + "\n"})
        nothing = self.attempt.folder / "nothing"
        nothing.mkdir()
        through, unread = self.keep_gate(clean.folder), self.keep_gate(nothing)
        with self.findings.together():
            self.findings.equal(
                "exit code, without a secret", through.returncode, 0,
                step="0 where nothing was found: a gate that is always shut is soon taken away.",
                evidence=through.stdout[:600] or through.stderr[-600:],
            )  # fmt: skip
            self.findings.expect(
                "exit code, where there is no repository", measured=unread.returncode, wanted="not 0",
                holds=unread.returncode != 0, step="What could not be searched is not clean: fail closed.",
            )  # fmt: skip


def planted_in(planted: dict[tuple[str, int], Planted], name: str) -> str:
    """The fate of a file."""
    return next(what.fate for (path, _), what in planted.items() if path == name)


def step_of(line: str) -> dict[str, Any]:
    with suppress(ValueError):
        if isinstance(step := json.loads(line), dict):
            return step
    return {}


def place_of(step: dict[str, Any]) -> tuple[str, int]:
    with suppress(TypeError, ValueError):
        return str(step.get("path")), int(step.get("line", 0))
    return "", 0
