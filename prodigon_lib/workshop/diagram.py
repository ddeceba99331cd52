"""Diagrams as SVG: boxes in columns, arrows between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

from prodigon_lib.workshop.look import CARD, FAINT, FONT, INK, service_colour
from prodigon_lib.workshop.picture import Picture

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 170, 72, 40, 28, 14
"""Four columns fit into a notebook's cell beside JupyterLab's file list."""


@dataclass(frozen=True)
class Box:
    """A part of the system. `lines` stand under its name; `column` and `row` count from 0."""

    key: str
    name: str
    lines: Sequence[str]
    column: float
    row: float
    colour: str = FAINT

    @property
    def left(self) -> float:
        return MARGIN + self.column * (BOX_WIDTH + GAP_X)

    @property
    def top(self) -> float:
        return MARGIN + self.row * (BOX_HEIGHT + GAP_Y)


@dataclass(frozen=True)
class Arrow:
    """Who calls whom, and how."""

    source: str
    target: str
    label: str = ""


def draw(boxes: Sequence[Box], arrows: Sequence[Arrow], words: str) -> Picture:
    """The boxes, and an arrow from each caller to what it calls. `words` is the text alternative."""
    by_key = {box.key: box for box in boxes}
    width = max(box.left for box in boxes) + BOX_WIDTH + MARGIN
    height = max(box.top for box in boxes) + BOX_HEIGHT + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}"'
        f' style="max-width:100%" role="img" aria-label="{escape(words, quote=True)}" font-family="{FONT}">',
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        f' orient="auto"><path d="M0 0 8 4 0 8z" fill="{FAINT}"/></marker></defs>',
        f'<rect width="100%" height="100%" rx="8" fill="{CARD}"/>',
        *(line(by_key[arrow.source], by_key[arrow.target], arrow.label) for arrow in arrows),
        *(card(box) for box in boxes),
        "</svg>",
    ]
    return Picture("".join(parts), words)


def card(box: Box) -> str:
    x, y, ink = box.left, box.top, box.colour
    parts = [
        f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="7" fill="white"',
        f' stroke="{ink}" stroke-width="1.5"/>',
        f'<rect x="{x:g}" y="{y + 8:g}" width="4" height="{BOX_HEIGHT - 16}" fill="{ink}"/>',
        words_at(x + 14, y + 22, box.name, f'font-size="13.5" font-weight="600" fill="{INK}"'),
    ]
    for place, text in enumerate(box.lines):
        parts.append(words_at(x + 14, y + 40 + 15 * place, text, f'font-size="11" fill="{FAINT}"'))
    return "".join(parts)


def words_at(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(text)}</text>'


def line(source: Box, target: Box, label: str) -> str:
    """From edge to edge: sideways between columns, up or down within one."""
    if source.column == target.column:
        down = target.row > source.row
        x1 = x2 = source.left + BOX_WIDTH / 2
        y1 = source.top + (BOX_HEIGHT if down else 0)
        y2 = target.top + (0 if down else BOX_HEIGHT)
    else:
        right = target.column > source.column
        x1, x2 = source.left + (BOX_WIDTH if right else 0), target.left + (0 if right else BOX_WIDTH)
        y1, y2 = source.top + BOX_HEIGHT / 2, target.top + BOX_HEIGHT / 2
    style = f'font-size="10.5" fill="{FAINT}" text-anchor="middle"'
    text = words_at((x1 + x2) / 2, (y1 + y2) / 2 - 6, label, style) if label else ""
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{FAINT}" stroke-width="1.4"'
        f' marker-end="url(#tip)"/>{text}'
    )


class PartLike(Protocol):
    """One row of `Stack.status()`."""

    @property
    def name(self) -> str: ...
    @property
    def pid(self) -> int | None: ...
    @property
    def port(self) -> int | None: ...


DOES = {
    "gateway": "checks, forwards, chats",
    "model": "routes to a model",
    "worker": "runs prompts of the queue",
    "monolith": "gateway, model and worker",
    "postgres": "chats, jobs, the queue",
}
COLUMNS = {"gateway": 1, "monolith": 1, "postgres": 1, "worker": 2, "model": 3}
FIRST_ROW = {"gateway": 0, "monolith": 0, "postgres": 1, "worker": 1, "model": 0}


def system_map(parts: Sequence[PartLike]) -> Picture:
    """What runs and who calls whom, from `stack.status()`; a replica (`worker-2`) stands under its first."""
    boxes = [Box("you", "you", ["this notebook"], 0, 0)]
    kinds: dict[str, list[str]] = {kind: [] for kind in COLUMNS}
    for part in parts:
        kind = part.name.split("-")[0]
        if kind not in kinds:
            continue
        row = FIRST_ROW[kind] + len(kinds[kind])
        kinds[kind].append(part.name)
        where = f"port {part.port}" if part.port else "Unix socket"
        lines = [f"{where}, pid {part.pid}", DOES[kind]]
        boxes.append(Box(part.name, part.name, lines, COLUMNS[kind], row, service_colour(kind)))
    calls = [
        ("monolith", "postgres"),
        ("gateway", "postgres"),
        ("gateway", "worker"),
        ("gateway", "model"),
        ("worker", "postgres"),
    ]
    doors = kinds["gateway"] + kinds["monolith"]
    arrows = [Arrow("you", name, "HTTP") for name in doors]
    for caller, callee in [*calls, ("worker", "model")]:
        arrows += [Arrow(one, other) for one in kinds[caller] for other in kinds[callee]]
    running = ", ".join(box.name for box in boxes[1:])
    return draw(
        boxes,
        arrows,
        f"You call the gateway; it calls the model, the worker and Postgres. Running: {running}",
    )
