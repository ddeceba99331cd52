"""Exercise 11.3: a gatekeeper.

python gatekeeper.py REPOSITORY

It looks for secrets in all that a git repository ever held: keys that begin with AKIA, ghp_, gsk_, sk-,
sk_live_, xoxb-, AIza or pdg_, private keys, JWTs, passwords in addresses, and random text that is given to a
name such as `password` or `token`, or comes after `Bearer`. Done when, of 30 secrets and 30 look-alikes,

- 27 or more are found, and 3 or fewer of the others; what was deleted counts, and what is on other branches;
- the exit code is 0 where it searched and found nothing, and only there;
- the plan says what to revoke before it says what to rewrite: what was pushed is known already;
- no secret is in what it says, which will be kept in a log.
"""

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
HUNK = re.compile(r"@@ -\S+ \+(\d+)")


@dataclass(frozen=True)
class Line:
    """A line that a commit added; `number` is its place in the file then."""

    commit: str
    path: str
    number: int
    text: str


@dataclass(frozen=True)
class Step:
    """Something to do for somebody: `revoke` a secret, or `rewrite` the history of a file."""

    do: str
    kind: str
    path: str
    line: int = 0
    commit: str = ""


def lines(repository: Path) -> Iterator[Line]:
    """Every line that was ever added."""
    # <gap> Let git show the whole history.
    # | history = ["show", "HEAD"]
    # All branches and tags, and what came in by a merge itself. `git rev-list --all` and a look at each
    # commit's files would do as well, and look at the same line many times.
    history = ["log", "--all", "-m"]
    # </gap>
    command = [GIT, "-C", str(repository), *history]
    options = ["--format=commit %H", "--patch", "--unified=0", "--no-color", "--no-ext-diff", "--no-renames"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, errors="replace", check=True)
    commit, path, number = "", "", 0
    for text in done.stdout.split("\n"):
        if text.startswith("commit "):
            commit = text.removeprefix("commit ")
        elif text.startswith("+++ "):
            path = text.removeprefix("+++ ").removeprefix("b/")
        elif match := HUNK.match(text):
            number = int(match[1])
        elif text.startswith("+"):
            yield Line(commit, path, number, text[1:])
            number += 1


# <solution>
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
    """Letters and digits, more than three bits for a character, and no place to put something in."""
    if re.search(r"[${}<>*()\[\]]", text) or not (re.search(r"\d", text) and re.search(r"[A-Za-z]", text)):
        return False
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares) > 3.0


# </solution>
def kind_of(text: str) -> str | None:
    """What kind of secret stands in a line, `None` where there is none."""
    # <gap> Know secrets by their form; where they have none, by their name and their randomness.
    # | return "secret" if re.search(r"[A-Za-z0-9_/+=-]{20,}", text) else None
    for kind, pattern in KNOWN.items():
        if re.search(pattern, text):
            return kind
    for kind, pattern in NAMED.items():
        if any(is_random(value) for value in re.findall(pattern, text)):
            return kind
    return None
    # </gap>


def plan(found: Sequence[tuple[str, Line]]) -> tuple[list[Step], int]:
    """What to do about the kinds of secrets and their lines, in order, and the exit code."""
    # <gap> Put what must be done first first, and let the exit code stop whoever asked.
    # | steps = [Step("rewrite", kind, line.text) for kind, line in found]
    # | return steps, 0
    revoke = [Step("revoke", kind, line.path, line.number, line.commit) for kind, line in found]
    # A file once, though it may hold several. Whoever has a clone keeps them all: hence the order.
    rewrite = {line.path: Step("rewrite", kind, line.path) for kind, line in found}
    return [*revoke, *rewrite.values()], 1 if found else 0
    # </gap>


def main(repository: str) -> int:
    found = [(kind, line) for line in lines(Path(repository)) if (kind := kind_of(line.text))]
    steps, code = plan(found)
    for step in steps:
        print(json.dumps(asdict(step)))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
