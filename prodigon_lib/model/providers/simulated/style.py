"""How an answer should look, as the system prompt and the question ask for it."""

import re
from dataclasses import dataclass, replace

NUMBERS = {"one": 1, "a": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
MOST_SENTENCES = 20

SENTENCES = re.compile(
    r"\b(\d{1,2}|one|a single|a|single|two|three|four|five|six|ten)"
    r"[ -](?:short |simple |clear )?sentences?\b",
    re.I,
)
BULLETS = re.compile(
    r"\b(?:(\d{1,2}|one|two|three|four|five|six|ten) )?(?:bullet(?:s|ed)?(?:[ -](?:points?|list))?"
    r"|(?:key |main )?points)\b",
    re.I,
)
BRIEF = re.compile(
    r"\b(?:be|keep it|keep your answers?|answer|reply) (?:very )?(?:brief|short|concise|terse)(?:ly)?\b"
    r"|\bbriefly\b|\bin short\b|\bin brief\b|\btl;?dr\b"
    r"|\b(?:brief|short|concise) (?:answers?|repl(?:y|ies)|summary)\b"
    r"|\bin a few words\b|\bone paragraph\b",
    re.I,
)
DETAILED = re.compile(
    r"\bin (?:full |more |great |depth and )?detail\b|\bdetailed\b|\bin depth\b"
    r"|\bat length\b|\blong answers?\b"
    r"|\beverything (?:about|you know)\b",
    re.I,
)
PLAIN = re.compile(
    r"\b(?:no|without(?: any)?|don'?t use|avoid) (?:markdown|formatting)\b|\bplain text\b", re.I
)
UPPER = re.compile(
    r"\b(?:all|in|use|only) (?:capitals|caps|capital letters|upper[ -]?case(?: letters)?)\b|\ball caps\b",
    re.I,
)
ONLY_CODE = re.compile(r"\b(?:only|just) (?:the )?code\b|\bcode only\b|\bno explanations?\b", re.I)
EDGES = re.compile(
    r"\b(begin|start|open|end|finish|close|sign)(?: off)?(?: (?:every|each|your|all|the|any)(?: of your)?)?"
    r"(?: (?:answers?|repl(?:y|ies)|responses?|messages?))? with(?: the (?:words?|line|phrase|sentence))?:? "
    r"(?:\"([^\"]{1,200})\"|'([^']{1,200})'|“([^”]{1,200})”)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Style:
    """`None` and false: the author's own choice."""

    sentences: int | None = None
    bullets: int | None = None
    brief: bool = False
    detailed: bool = False
    plain: bool = False
    upper: bool = False
    only_code: bool = False
    opening: str = ""
    closing: str = ""


def read_style(system: str, question: str) -> Style:
    """The question's wishes about length go before the system prompt's; the others add up."""
    style = read_length(question) or read_length(system) or Style()
    both = f"{system}\n{question}"
    style = replace(
        style,
        plain=bool(PLAIN.search(both)),
        upper=bool(UPPER.search(both)),
        only_code=bool(ONLY_CODE.search(both)),
    )
    for match in EDGES.finditer(both):
        words = next(group for group in match.groups()[1:] if group)
        if match[1].lower() in ("begin", "start", "open"):
            style = replace(style, opening=words)
        else:
            style = replace(style, closing=words)
    return style


def read_length(text: str) -> Style | None:
    """What the text says about length, if anything."""
    if match := SENTENCES.search(text):
        return Style(sentences=as_number(match[1]))
    if match := BULLETS.search(text):
        return Style(bullets=as_number(match[1]) if match[1] else 5)
    if BRIEF.search(text):
        return Style(brief=True)
    return Style(detailed=True) if DETAILED.search(text) else None


def as_number(word: str) -> int:
    number = int(word) if word.isdigit() else NUMBERS[word.lower().removeprefix("a ") or "a"]
    return min(max(number, 1), MOST_SENTENCES)


def styled(text: str, style: Style) -> str:
    """The marks of a style that apply to any text: capitals, no Markdown, fixed first and last words."""
    if style.plain:
        text = without_markdown(text)
    if style.upper:
        text = text.upper()
    return "\n\n".join(part for part in (style.opening, text, style.closing) if part)


def without_markdown(text: str) -> str:
    text = re.sub(r"^```\w*\n?|^#+ ", "", text, flags=re.MULTILINE)
    return re.sub(r"\*\*(.+?)\*\*|`([^`\n]+)`", lambda match: match[1] or match[2], text)
