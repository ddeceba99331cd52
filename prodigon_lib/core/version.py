"""The version of the installed library, from its own metadata."""

from importlib.metadata import PackageNotFoundError, version


def library_version() -> str:
    try:
        return version("prodigon")
    except PackageNotFoundError:  # an unpacked tree that was never installed
        return "0.0.0"
