"""Looks for secrets in the repository, the notebooks' outputs too, by the rules of detect-secrets.

python -m tests.secret_scan            all that git knows, or would add
python -m tests.secret_scan FILE…      these: what a commit touches
python -m tests.secret_scan --accept   write what it finds into the baseline; read it before you commit it

It asks each rule about a whole file at once, and only where one has something to say does detect-secrets look
line by line, with its filters: alone it takes half a minute for what this does in seconds.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from detect_secrets.core import baseline
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.plugins.high_entropy_strings import HighEntropyStringsPlugin
from detect_secrets.settings import get_plugins

BASELINE = ".secrets.baseline"
GENERATED = re.compile(
    r"\.lock$|package-lock\.json$|\.min\.js$|^prodigon_lib/widgets/static/|\.png$|\.baseline$"
)


ADVICE = """
A secret does not belong here. Take it out, and if it was pushed, change it. An example gets the comment
`pragma: allowlist secret`, or a place in the baseline, by python -m tests.secret_scan --accept"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.secret_scan")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--accept", action="store_true")
    wish = parser.parse_args(arguments)
    if wish.accept and wish.files:
        parser.error("the baseline is of all files")
    known = baseline.load(baseline.load_from_file(BASELINE), BASELINE)
    found = scan(wish.files or files_of_git())
    if wish.accept:
        baseline.save_to_file(found, BASELINE)
        return 0
    new = found - known
    for path, secret in new:
        print(f"{path}:{secret.line_number}: {secret.type}")
    if new:
        print(ADVICE)
    return 1 if new else 0


def files_of_git() -> list[str]:
    """Raises CalledProcessError: this is no repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [path for path in listed.split("\0") if path]


def scan(paths: Iterable[str]) -> SecretsCollection:
    """What the rules of the settings, which the baseline has set, find in these files."""
    plugins = get_plugins()
    found = SecretsCollection()
    for path in paths:
        if not GENERATED.search(path) and Path(path).is_file():
            text = Path(path).read_text(encoding="utf-8", errors="replace")
            if any(speaks(plugin, text) for plugin in plugins):
                found.scan_file(path)
    return found


def speaks(plugin: BasePlugin, text: str) -> bool:
    said = plugin.analyze_string(text)
    if isinstance(plugin, HighEntropyStringsPlugin):  # it gives every quoted word, and weighs them later
        said = (word for word in set(said) if plugin.calculate_shannon_entropy(word) > plugin.entropy_limit)
    return next(iter(said), None) is not None


if __name__ == "__main__":
    sys.exit(main())
