"""Looks at the files of every commit; a line counts once."""

import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

GIT = shutil.which("git") or "git"


@dataclass(frozen=True)
class Line:
    commit: str
    path: str
    number: int
    text: str


@dataclass(frozen=True)
class Step:
    do: str
    kind: str
    path: str
    line: int = 0
    commit: str = ""


def lines(repository: Path) -> Iterator[Line]:
    seen = set()
    for commit in git(repository, "rev-list", "--all", "--reverse").split():
        for path in git(repository, "ls-tree", "-r", "--name-only", commit).splitlines():
            for number, text in enumerate(git(repository, "show", f"{commit}:{path}").split("\n"), 1):
                if (path, text) not in seen:
                    seen.add((path, text))
                    yield Line(commit, path, number, text)


def git(repository: Path, *arguments: str) -> str:
    command = [GIT, "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout


KNOWN = {
    "AWS": r"\bAKIA[0-9A-Z]{16}\b(?<!EXAMPLE)",
    "GitHub": r"\bghp_[A-Za-z0-9]{36}",
    "Groq": r"\bgsk_[A-Za-z0-9]{40,}",
    "OpenAI": r"\bsk-[A-Za-z0-9_-]{32,}",
    "Stripe": r"\bsk_live_[A-Za-z0-9]{20,}",
    "Slack": r"\bxoxb-[A-Za-z0-9-]{20,}",
    "Google": r"\bAIza[A-Za-z0-9_-]{35}",
    "Prodigon": r"\bpdg_[A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{43}",
    "private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "JWT": r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}",
}
NAMED = {
    "address": r"\w://[^\s:/@]+:([^\s@/]+)@",
    "name": r"(?i)(?:password|secret|token|a(?:pi|ccess)_?key)\w*[\"']?\s*[:=]\s*[\"']?([^\s\"',;]{8,})",
    "bearer": r"Bearer ([\w.~+/=-]{16,})",
}


def is_random(text: str) -> bool:
    if re.search(r"[${}<>*()\[\]]", text) or not (re.search(r"\d", text) and re.search(r"[A-Za-z]", text)):
        return False
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares) > 3.0


def kind_of(text: str) -> str | None:
    for kind, pattern in KNOWN.items():
        if re.search(pattern, text):
            return kind
    for kind, pattern in NAMED.items():
        if any(is_random(value) for value in re.findall(pattern, text)):
            return kind
    return None


def plan(found: Sequence[tuple[str, Line]]) -> tuple[list[Step], int]:
    revoke = [Step("revoke", kind, line.path, line.number, line.commit) for kind, line in found]
    rewrite = {line.path: Step("rewrite", kind, line.path) for kind, line in found}
    return [*revoke, *rewrite.values()], 1 if found else 0


def main(repository: str) -> int:
    found = [(kind, line) for line in lines(Path(repository)) if (kind := kind_of(line.text))]
    steps, code = plan(found)
    for step in steps:
        print(json.dumps(asdict(step)))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
