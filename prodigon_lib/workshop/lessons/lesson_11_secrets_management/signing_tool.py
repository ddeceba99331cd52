"""The tool of exercise 11.1: signs its input with a key, and notes how the key came to it.

python signing_tool.py NOTES [--key KEY | --key-file PATH]

What other programs could read of it meanwhile goes into a new file in the folder NOTES, which names in
LOOK_IN the folders to look into, one a line. With REFUSE there it fails, and says what it got, as careless
tools do.
"""

import hmac
import json
import os
import sys
from pathlib import Path

ENVIRONMENT = "REPORTS_KEY"
REFUSE, LOOK_IN = "refuse", "look_in"


def main() -> int:
    notes, arguments = Path(sys.argv[1]), sys.argv[2:]
    text = sys.stdin.read()
    seen = {"command line": command_line(), "environment": environment(), "files": files(notes)}
    key, text = key_of(arguments, text)
    (notes / f"{os.getpid()}.json").write_text(json.dumps(seen))
    if (notes / REFUSE).exists():
        print(f"can't sign with {key}", file=sys.stderr)
        return 3
    print(hmac.new(key.encode(), text.encode(), "sha256").hexdigest())
    return 0


def key_of(arguments: list[str], text: str) -> tuple[str, str]:
    """The key, by whichever way it came, and what is to be signed."""
    if arguments[:1] == ["--key"]:
        return arguments[1], text
    if arguments[:1] == ["--key-file"]:
        return Path(arguments[1]).read_text().strip(), text
    if ENVIRONMENT in os.environ:
        return os.environ[ENVIRONMENT], text
    first, _, rest = text.partition("\n")
    return first, rest


def command_line() -> str:
    """As every user of the machine reads it; off Linux, `ps` shows the same."""
    shown = Path("/proc/self/cmdline")
    return shown.read_bytes().decode(errors="replace") if shown.exists() else " ".join(sys.argv)


def environment() -> str:
    shown = Path("/proc/self/environ")
    return shown.read_bytes().decode(errors="replace") if shown.exists() else repr(dict(os.environ))


def files(notes: Path) -> str:
    """What lies open while the tool runs."""
    folders = (notes / LOOK_IN).read_text().splitlines()
    return texts_in(*(Path(folder) for folder in folders))


def texts_in(*folders: Path) -> str:
    """The text of every file below the folders."""
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in paths)


if __name__ == "__main__":
    sys.exit(main())
