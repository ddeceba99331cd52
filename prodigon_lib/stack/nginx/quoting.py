"""How a word is written that may have blanks in it."""

from pathlib import Path


def quoted(path: Path | str) -> str:
    """As nginx reads it."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
