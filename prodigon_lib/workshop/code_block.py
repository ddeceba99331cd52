"""Code in a notebook, in the look of the cards, and with its lines as they were written.

JupyterLab breaks the lines of a code block in the middle of a word where they are longer than the cell.
"""

from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from prodigon_lib.workshop.card import MONO, PAPER
from prodigon_lib.workshop.look import FAINT, GRID, INK

FRAME = (
    f"color:{INK};background:{PAPER};border:1px solid {GRID};border-radius:6px;max-width:920px;margin:4px 0"
)
PLACE = f"color:{FAINT};background:transparent;font-family:{MONO};font-size:12px;padding:5px 12px 4px 12px"
LINES = (
    f"color:{INK};background:transparent;border:0;margin:0;padding:6px 12px 10px 12px;font-family:{MONO};"
    "font-size:12.5px;line-height:1.5;white-space:pre;word-break:normal;overflow-wrap:normal;overflow-x:auto"
)


def code_block(text: str, language: str, title: str) -> str:
    """HTML. With the focus on it the arrow keys scroll it: JupyterLab is told to leave them alone."""
    form = HtmlFormatter(nowrap=True, noclasses=True)  # in the colours of JupyterLab's own light cells
    lines = highlight(text, get_lexer_by_name(language), form)
    keys = 'tabindex="0" data-lm-suppress-shortcuts="true"'
    named = f'role="region" aria-label="Source: {escape(title)}"'
    return (
        f'<div style="{FRAME}"><div style="{PLACE}">{escape(title)}</div>'
        f'<pre {keys} {named} style="{LINES}">{lines}</pre></div>'
    )
