"""Pale cards in a notebook that read the same in light and dark themes.

Every element says its own colours: JupyterLab's themes give tables, code and rows colours of their own, which
a card inherits in part, and then dark ink stands on dark rows.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape

from prodigon_lib.core.terminal import plain
from prodigon_lib.workshop.look import BLUE, CARD, FAINT, FONT, GREEN, GRID, INK, ORANGE

GOOD, BAD, NEUTRAL = GREEN, ORANGE, BLUE
PAPER = "#ffffff"
ADDED, REMOVED = "#dff3e4", "#fbe6d4"
MONO = "ui-monospace, 'DejaVu Sans Mono', monospace"
CELL = (
    f"color:{INK};background:transparent;border:0;padding:2px 18px 2px 0;text-align:left;vertical-align:top"
)


def card(colour: str, *parts: str) -> str:
    """A card with a coloured edge around parts that are HTML already."""
    style = (
        f"background:{CARD};color:{INK};border-left:5px solid {colour};border-radius:6px;padding:10px 16px;"
        f"margin:4px 0;max-width:920px;font-family:{FONT};font-size:14px;line-height:1.45"
    )
    return f'<div style="{style}">{"".join(parts)}</div>'


def prose(text: str) -> str:
    """Text as HTML, with what stands between backticks as code."""
    style = f"color:inherit;background:transparent;padding:0;font-family:{MONO};font-size:0.94em"
    return re.sub(r"`([^`]+)`", rf'<code style="{style}">\1</code>', escape(text))


def heading(text: str, colour: str = INK, aside: str = "") -> str:
    faint = f' <span style="color:{FAINT};font-weight:400">{escape(aside)}</span>' if aside else ""
    return f'<div style="color:{colour};font-weight:600;font-size:15px">{prose(text)}{faint}</div>'


def paragraph(text: str, colour: str = INK) -> str:
    return f'<div style="color:{colour};margin-top:6px">{prose(text)}</div>'


def grid(columns: Sequence[str], rows: Iterable[Sequence[str]], *, inks: Sequence[str] = ()) -> str:
    """A table; `inks` gives each row a colour of its own, `INK` where it ends."""
    head = "".join(
        f'<th scope="col" style="{CELL};color:{FAINT};font-weight:600">{escape(name)}</th>'
        for name in columns
    )
    body = []
    for place, row in enumerate(rows):
        ink = inks[place] if place < len(inks) else INK
        cells = "".join(f'<td style="{CELL};color:{ink}">{escape(cell)}</td>' for cell in row)
        body.append(f'<tr style="background:transparent">{cells}</tr>')
    plain = 'style="background:transparent"'
    header = f"<thead {plain}><tr {plain}>{head}</tr></thead>" if any(columns) else ""
    style = "border-collapse:collapse;margin:6px 0 2px 0;border:0;font-size:13px;background:transparent"
    return f'<table style="{style}">{header}<tbody {plain}>{"".join(body)}</tbody></table>'


def block(text: str) -> str:
    """Text as it is, in a fixed width."""
    style = (
        f"color:{INK};background:{PAPER};border:1px solid {GRID};border-radius:4px;padding:6px 10px;"
        f"margin:6px 0 2px 0;font-family:{MONO};font-size:12.5px;white-space:pre-wrap;"
        "overflow-wrap:anywhere;max-height:24em;overflow:auto"
    )
    return f'<pre style="{style}">{escape(text)}</pre>'


def image(svg: str, words: str) -> str:
    """An SVG as an image: two plots of one page can't mix up their ids, and no script in it runs."""
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(words, quote=True)}"'
        ' style="max-width:100%;margin-top:6px;display:block">'
    )


def folded(summary: str, body: str) -> str:
    """Hidden until it is asked for."""
    style = f"color:{FAINT};cursor:pointer;margin-top:6px"
    return f'<details><summary style="{style}">{prose(summary)}</summary>{body}</details>'


class Shown:
    """Something with a face in a notebook, `html()`, and one in a terminal, `text()`."""

    def html(self) -> str:
        raise AssertionError("a shown thing says how it looks")

    def text(self) -> str:
        raise AssertionError("a shown thing says how it reads")

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return plain(self.text())
