"""What the last message wants: which topic, which form, and whether it leans on the turn before."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from prodigon_lib.core.schemas.generate import Message, Role
from prodigon_lib.model.providers.simulated.memory import noted, recalled

LONGEST_QUERY = 4000


class Want(StrEnum):
    TEXT = "text"
    CODE = "code"
    EXAMPLE = "example"
    TABLE = "table"
    DIAGRAM = "diagram"
    FORMULA = "formula"
    MORE = "more"


WANTS = (
    (
        Want.CODE,
        re.compile(
            r"\b(?:code|snippet|in python|python function|implement(?:ation)?"
            r"|write (?:me )?(?:a|an|some|the) "
            r"(?:\w+ ){0,3}?(?:function|class|script|query|program|loop|config(?:uration)?))\b",
            re.I,
        ),
    ),
    (Want.DIAGRAM, re.compile(r"\b(?:diagram|draw|sketch|flow ?chart|mermaid)\b", re.I)),
    (Want.TABLE, re.compile(r"\b(?:table|tabular|side by side)\b", re.I)),
    (Want.FORMULA, re.compile(r"\b(?:formula|equation)\b", re.I)),
    (Want.EXAMPLE, re.compile(r"\bexamples?\b|\bfor instance\b", re.I)),
)
GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings|howdy)\b[^?]{0,30}$", re.I
)
THANKS = re.compile(
    r"^\W*(?:thanks|thank you|thx|cheers|great|cool|perfect|ok(?:ay)?|got it)\b[^?]{0,30}$", re.I
)
IDENTITY = re.compile(
    r"\bwho are you\b|\bwhat are you\b|\bwhat(?:'s| is) your name\b|\bwhich model (?:are you|is this)\b"
    r"|\bare you (?:a |an )?(?:real|human|live|simulated|robot|bot|chatgpt|llama|model)\b"
    r"|\bwhat can (?:you|i) (?:do|ask)\b|^help\b",
    re.I,
)
GO_ON = re.compile(
    r"^\W*(?:(?:and|but|so|ok|okay|yes|sure|please|now|can you|could you|great)\W+)*"
    r"(?:tell me (?:some )?more|more(?: detail(?:s)?| please)?|go on|continue|keep going"
    r"|carry on|elaborate|expand"
    r"|go deeper|what else|anything else|say more"
    r"|explain(?: that| this| it)?(?: again| further| more| in more detail)?"
    r"|in more detail|and then|then|next)\b.{0,40}$",
    re.IGNORECASE | re.DOTALL,
)
SHORT_FORM = re.compile(
    r"^\W*(?:(?:and|but|so|ok|okay|yes|sure|please|now|can you|could you|great|i'd like|i want)\W+)*"
    r"(?:(?:show|give|write|draw|make|have|see)\b(?: me)?(?: (?:the|an?|some|another|one more|it|that|this))?"
    r"|another|an?|some|the|with|as)?\s*"
    r"(?:\w+ )?(?:examples?|code|snippets?|diagram|table|formula|equation|sketch)"
    r"(?: (?:of|for|about) (?:it|that|this|them))?(?: (?:please|in python|in code|too))?\W*$",
    re.IGNORECASE,
)
LEANING = re.compile(
    r"^\W*(?:and|but|so|why|how so|how come|what about|how about)\b"
    r"|\b(?:it|its|that|this|they|them|their|those|these|the (?:first|second|last|former|latter)(?: one)?)\b",
    re.I,
)
SHORT = 12
"""Words; a message of no more that says `it` or `that` leans on the turn before."""


@dataclass(frozen=True, slots=True)
class Intent:
    """`topic` is what to search for, `context` what was spoken of before.

    `ready` is the whole answer, when the conversation itself gives it.
    """

    want: Want
    topic: str = ""
    context: str = ""
    ready: str | None = None
    follows: bool = False
    """The topic is that of an earlier turn."""
    greets: bool = False
    thanks: bool = False
    asks_identity: bool = False


def read_intent(turns: Sequence[Message], system: str = "") -> Intent:
    """Of the last turn that is the user's, with the turns before it as its history."""
    last = max((number for number, turn in enumerate(turns) if turn.role is Role.USER), default=-1)
    if last < 0:
        return Intent(Want.TEXT, greets=True)
    question, history = turns[last].content, turns[:last]
    ready = recalled(question, history, system) or noted(question)
    if ready is not None:
        return Intent(Want.TEXT, ready=ready)
    if GREETING.match(question):
        return Intent(Want.TEXT, greets=True)
    if IDENTITY.search(question):
        return Intent(Want.TEXT, asks_identity=True)
    before = last_topic(history)
    if THANKS.match(question) and not before:
        return Intent(Want.TEXT, thanks=True)
    return about(question, before)


def about(question: str, before: str) -> Intent:
    """A question on a topic: its own, or that of the turn before."""
    want = wanted(question)
    if before and SHORT_FORM.match(question):
        return Intent(want, topic=before, follows=True)
    if before and GO_ON.match(question):
        return Intent(Want.MORE if want is Want.TEXT else want, topic=before, follows=True)
    if THANKS.match(question):
        return Intent(Want.TEXT, thanks=True)
    leans = bool(before) and len(question.split()) <= SHORT and LEANING.search(question) is not None
    return Intent(want, topic=clipped(question), context=before if leans else "", follows=leans)


def last_topic(history: Sequence[Message]) -> str:
    """What the user last asked that was a topic of its own."""
    for turn in reversed(history):
        text = turn.content
        if turn.role is not Role.USER or GO_ON.match(text) or SHORT_FORM.match(text) or THANKS.match(text):
            continue
        if GREETING.match(text) or IDENTITY.search(text) or recalled(text, ()) or noted(text):
            continue
        return clipped(text)
    return ""


def wanted(question: str) -> Want:
    return next((want for want, pattern in WANTS if pattern.search(question)), Want.TEXT)


def clipped(text: str) -> str:
    """Both ends of a long message: instructions stand there."""
    half = LONGEST_QUERY // 2
    return text if len(text) <= LONGEST_QUERY else f"{text[:half]}\n{text[-half:]}"
