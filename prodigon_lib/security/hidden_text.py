"""Text that is there and that nobody sees: to smuggle orders into a prompt, or words out of an answer.

A model reads characters, a person sees glyphs. Tag characters (U+E0000) spell any ASCII text with no glyph at
all; variation selectors carry a byte each; characters of no width split a word that a filter looks for, or
count in binary; a direction override shows code in another order than it runs (CVE-2021-42574).
Sources: UTR #36 and UTS #39 (security of Unicode); UTS #51 (which emoji use tags and joiners); UAX #31,
section 2.3 (where joiners belong); Boucher and Anderson 2021, "Trojan Source", arXiv 2111.00169.

What a language needs stays: the joiners of Persian, Indic scripts and emoji, the marks of Hebrew and Arabic,
the three flags that tags spell. So a little can be hidden on: one mark between two letters is not looked at.
`widgets/js/parts/hidden.ts` does the same for the panels; both pass `tests/hidden_texts.py`.
"""

import re
from dataclasses import dataclass

INVISIBLE = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point, and the controls but for the tab and the ends of a line."""

JOINING = (
    r"\u0590-\u061b\u061d-\u115e\u1780-\u17b3\u17b6-\u180a\u1810-\u18af\ua840-\ua87f\ua8e0-\uabff\ufb1d-\ufdff"
    r"\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
"""Scripts whose letters change with what stands beside them."""

EMOJI = r"\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"  # noqa: E501
RIGHT_TO_LEFT = re.compile(r"[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")

BELONGS = "|".join(
    (
        r"\U0001f3f4(?:\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
        r"|\U000e0077\U000e006c\U000e0073))\U000e007f",  # the flags of England, Scotland and Wales
        rf"(?<=[^\x00-\xff{INVISIBLE}])[\ufe00-\ufe0f]|(?<=[0-9#*©®])[\ufe0e\ufe0f]",
        r"(?<=[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]",
        rf"(?<=[{EMOJI}\ufe0f])\u200d(?=[{EMOJI}])",
        rf"(?<=[{JOINING}])[\u200c\u200d](?![{INVISIBLE}])|(?<![{INVISIBLE}])[\u200c\u200d](?=[{JOINING}])",
        r"(?<=[\u1820-\u18af])[\u180b-\u180f]|[\u180e](?=[\u1820-\u18af])",
    )
)
MARKS = rf"(?<![{INVISIBLE}])[\u200e\u200f\u061c](?![{INVISIBLE}])"
"""Of direction: they belong where some text runs from right to left."""

HIDDEN = re.compile(rf"({BELONGS})|[{INVISIBLE}]")
HIDDEN_BESIDE_MARKS = re.compile(rf"({BELONGS}|{MARKS})|[{INVISIBLE}]")
TAGS = range(0xE0020, 0xE007F)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A run of characters that nobody sees.

    Args:
        at: the place of its first character in the text.
        characters: the run itself.
    """

    at: int
    characters: str

    @property
    def says(self) -> str:
        """What its tag characters spell, for a model that reads them; empty when there are none."""
        return "".join(chr(ord(each) - 0xE0000) for each in self.characters if ord(each) in TAGS)


def hidden_in(text: str) -> list[Hidden]:
    """The runs of hidden characters, in order."""
    places = [found.start() for found in pattern_for(text).finditer(text) if not found[1]]
    runs: list[Hidden] = []
    for place in places:
        if runs and runs[-1].at + len(runs[-1].characters) == place:
            runs[-1] = Hidden(runs[-1].at, runs[-1].characters + text[place])
        else:
            runs.append(Hidden(place, text[place]))
    return runs


def without_hidden(text: str) -> str:
    """`text` as it is seen."""
    return text if text.isascii() and text.isprintable() else pattern_for(text).sub(r"\1", text)


def with_hidden_shown(text: str) -> str:
    """`text` with a word in brackets for each hidden run: what it spells, or how long it is."""
    pieces, end = [], 0
    for run in hidden_in(text):
        word = run.says or f"{len(run.characters)} characters"
        pieces += [text[end : run.at], f"[hidden: {word}]"]
        end = run.at + len(run.characters)
    return "".join([*pieces, text[end:]])


def pattern_for(text: str) -> re.Pattern[str]:
    return HIDDEN_BESIDE_MARKS if RIGHT_TO_LEFT.search(text) else HIDDEN
