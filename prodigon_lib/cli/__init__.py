"""The `prodigon` command."""

from prodigon_lib.cli.application import app, main

__all__ = ["app", "main"]
