"""What the commands say.

Names, what an exercise printed and what an upstream answered get into it, so the terminal obeys none of it.
"""

from typing import Any

import typer

from prodigon_lib.core.terminal import plain


def say(text: str, *, err: bool = False, colour: bool | None = None, **look: Any) -> None:
    """One text to the terminal, and the end of a line.

    Args:
        colour: whether to colour; asks the terminal if not given.
        look: as `typer.style` takes it.
    """
    typer.echo(typer.style(plain(text), **look) if look else plain(text), err=err, color=colour)
