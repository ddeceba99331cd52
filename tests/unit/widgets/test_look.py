"""The look's colours: those of the plots, and readable in both themes."""

import re
from itertools import product
from pathlib import Path

import pytest

import prodigon_lib.widgets
from prodigon_lib.workshop import look

SHEET = (Path(prodigon_lib.widgets.__file__).parent / "js" / "look" / "theme.css").read_text()
TEXT = 4.5
"""WCAG AA for text of this size, and below it for the edges of controls."""
EDGES = 3.0


def colours(selector: str) -> dict[str, str]:
    block = SHEET.split(selector + " {", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+): (?:.*)?(#[0-9a-f]{6})\b", block))


LIGHT, DARK = colours(".panel"), colours('.panel[data-theme="dark"]')


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_readable_on_every_ground(palette: dict[str, str]) -> None:
    inks = ["ink", "faint", "code-keyword", "code-string", "code-number", "code-name"]
    grounds = ["page", "card", "sunken"]
    pairs = [*product(inks, grounds), ("ink", "blue-wash"), ("ink", "orange-wash"), ("faint", "orange-wash")]
    pairs += [("blue", "page"), ("blue", "card"), ("orange", "card"), ("green", "card"), ("pink", "card")]
    pairs += [("on-colour", "blue")]
    poor = {pair: round(contrast(palette[pair[0]], palette[pair[1]]), 2) for pair in pairs}
    assert {pair: value for pair, value in poor.items() if value < TEXT} == {}


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_edges_of_controls_can_be_seen(palette: dict[str, str]) -> None:
    assert min(contrast(palette["edge"], palette[ground]) for ground in ("page", "card")) >= EDGES


@pytest.mark.parametrize("name", ["card", "ink", "grid", "blue", "green", "pink"])
def test_the_light_colours_are_those_of_the_plots(name: str) -> None:
    assert LIGHT[name] == getattr(look, name.upper())
