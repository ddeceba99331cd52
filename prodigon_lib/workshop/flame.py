"""Flame graphs as SVG: the widest box is where the time went, and what stands on it is where it went there.

Rows are calls, the outermost at the bottom; the width of a box is its share. Left and right mean nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from prodigon_lib.workshop.look import CARD, FAINT, FONT, INK, ORANGE
from prodigon_lib.workshop.picture import Picture
from prodigon_lib.workshop.profile import Frame, Profile, named, percent

WIDTH, ROW, MARGIN, HEAD = 860.0, 18.0, 12.0, 48.0
LEAST_SHARE = 0.004
"""A narrower box could not be seen."""

LETTER = 6.0
"""Width of a letter at the size below, on average."""

KINDS = {
    "marked": (ORANGE, "#ffffff"),
    "ours": ("#f6d3ad", INK),
    "a package": ("#cfe4f2", INK),
    "Python": ("#e5e2d9", INK),
    "waiting": ("#ffffff", FAINT),
}


@dataclass
class Node:
    """A call and what it called; `weight` has its own time and theirs."""

    frame: Frame
    weight: float = 0.0
    children: dict[Frame, "Node"] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A box: which call, how deep, and where it begins and how wide it is, as shares of all."""

    frame: Frame
    depth: int
    start: float
    share: float


def flame_graph(profile: Profile, title: str, *, mark: Sequence[str] = ()) -> Picture:
    """Draw a profile.

    Args:
        mark: functions to be found again at a glance.

    Raises:
        ValueError: the profile is empty.
    """
    places = list(laid_out(profile))
    if not places:
        raise ValueError("no stacks to draw")
    rows = max(place.depth for place in places) + 1
    height = HEAD + rows * ROW + MARGIN
    words = f"{title}. {in_words(profile, mark)}"
    kinds = {kind_of(place.frame, mark) for place in places}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}"'
        f' style="max-width:100%" role="img" aria-label="{escape(words, quote=True)}" font-family="{FONT}">',
        f'<rect width="100%" height="100%" rx="8" fill="{CARD}"/>',
        f'<text x="{MARGIN:g}" y="19" font-size="13.5" font-weight="600" fill="{INK}">{escape(title)}</text>',
        *legend(kinds, mark),
        *(box(place, rows, profile, mark) for place in places),
        "</svg>",
    ]
    return Picture("".join(parts), words)


def laid_out(profile: Profile) -> Iterator[Place]:
    """The boxes that are wide enough to be seen, callers before what they called, the widest first."""
    root = tree(profile)
    if not root.weight:
        return
    waiting = [(root, -1, 0.0)]
    while waiting:
        node, depth, start = waiting.pop()
        if depth >= 0:
            yield Place(node.frame, depth, start, node.weight / root.weight)
        for child in sorted(node.children.values(), key=lambda each: (-each.weight, each.frame)):
            if child.weight / root.weight >= LEAST_SHARE:
                waiting.append((child, depth + 1, start))
            start += child.weight / root.weight


def tree(profile: Profile) -> Node:
    root = Node(Frame("all"))
    for stack, weight in profile.stacks.items():
        node = root
        node.weight += weight
        for frame in stack:
            node = node.children.setdefault(frame, Node(frame))
            node.weight += weight
    return root


def box(place: Place, rows: int, profile: Profile, mark: Sequence[str]) -> str:
    usable = WIDTH - 2 * MARGIN
    x, width = MARGIN + place.start * usable, max(place.share * usable - 0.6, 0.4)
    y = HEAD + (rows - 1 - place.depth) * ROW
    fill, ink = KINDS[kind_of(place.frame, mark)]
    told = f"{place.frame.short}: {percent(place.share)}"
    if profile.unit == "s":
        told += f", {1000 * place.share * profile.total:.3g} ms"
    return (
        f'<g><title>{escape(told)}</title><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}"'
        f' height="{ROW - 1:g}" rx="1.5" fill="{fill}"'
        + (f' stroke="{FAINT}" stroke-width="0.5" stroke-dasharray="3 2"' if fill == "#ffffff" else "")
        + "/>"
        + label(place, x, y, width, ink)
        + "</g>"
    )


def label(place: Place, x: float, y: float, width: float, ink: str) -> str:
    """The name, with its share where there is room, shortened where there is not."""
    room = int((width - 6) / LETTER)
    if room < 3:
        return ""
    name = place.frame.function.rpartition(".<locals>.")[2]
    whole = f"{name} {percent(place.share)}"
    text = whole if len(whole) <= room else name if len(name) <= room else name[: room - 1] + "…"
    return f'<text x="{x + 4:.1f}" y="{y + 12.5:.1f}" font-size="10.5" fill="{ink}">{escape(text)}</text>'


def legend(kinds: set[str], mark: Sequence[str]) -> Iterator[str]:
    x = MARGIN
    for kind, (fill, _) in KINDS.items():
        if kind not in kinds:
            continue
        word = ", ".join(mark) if kind == "marked" else kind
        yield (
            f'<rect x="{x:g}" y="28" width="11" height="11" rx="2" fill="{fill}" stroke="{FAINT}"'
            f' stroke-width="0.4"/><text x="{x + 16:g}" y="37.5" font-size="10.5" fill="{FAINT}">'
            f"{escape(word)}</text>"
        )
        x += 34 + LETTER * len(word)


def kind_of(frame: Frame, mark: Sequence[str] = ()) -> str:
    """Whose function it is, as the colours tell: ours, of a package, of Python, or no function but a wait."""
    if any(named(frame, each) for each in mark):
        return "marked"
    if frame.file == "waiting":
        return "waiting"
    if "site-packages" in frame.file or "dist-packages" in frame.file:
        return "a package"
    return "ours" if "prodigon" in frame.file or "ipykernel" in frame.file else "Python"


def in_words(profile: Profile, mark: Sequence[str]) -> str:
    """The shares of what is marked, else of the functions with the most time of their own."""
    if mark:
        return "; ".join(f"{function} {percent(profile.share(function))}" for function in mark)
    rows = profile.table(5).rows
    return "By own time: " + "; ".join(f"{row[0]} {row[1]}" for row in rows)
