"""What the conversation itself answers: names, facts and questions that were said before."""

import re
from collections.abc import Sequence

from prodigon_lib.core.schemas.generate import Message, Role
from prodigon_lib.model.providers.simulated.corpus import split_sentences

ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1, "previous": -1}
ORDINAL = "|".join(ORDINALS)

MY_QUESTION = re.compile(
    rf"\bmy (?:very )?({ORDINAL}) (?:question|message|prompt|request)\b"
    rf"|\b({ORDINAL}) (?:question|message|thing|prompt)(?: that)? i (?:asked|said|wrote|sent)\b"
    rf"|\bwhat did i (?:just )?(?:ask|say|write)(?! (?:that )?my\b)(?: (?:you|to you))?(?: ({ORDINAL}))?\b",
    re.IGNORECASE,
)
YOUR_ANSWER = re.compile(
    rf"\byour (?:very )?({ORDINAL}) (?:answer|reply|message|response)\b"
    r"|\bwhat did you (?:just )?(?:say|answer|reply)\b|^(?:please )?(?:repeat|say) that(?: again)?\b"
    r"|^repeat your answer\b",
    re.IGNORECASE,
)
HOW_MANY = re.compile(r"\bhow many (?:questions|messages|things) (?:have i|did i)\b", re.IGNORECASE)
WHAT_WAS_SAID = re.compile(
    r"\b(?:summari[sz]e|recap|sum up) (?:this|our|the) (?:conversation|chat|discussion)\b"
    r"|\bwhat (?:have|did) we (?:talk|discuss|spoken|speak)",
    re.IGNORECASE,
)
ASKS_A_FACT = re.compile(
    r"(?:\bwhat(?:'s| is| was| are| were)|\bwhere(?:'s| is)|\bwho(?:'s| is)|\bwhen(?:'s| is)"
    r"|\bwhat did i (?:say|tell you)(?: that)?"
    r"|\b(?:do|can) you (?:still )?(?:know|remember|recall|tell me)|^tell me)"
    r" (?:what )?my ([a-z][\w' -]{0,40}?)"
    r"(?: is| was| are)?(?: again)?\s*(?:\?|$|\.|,)",
    re.IGNORECASE,
)
WHO_AM_I = re.compile(r"\bwho am i\b|\bhow am i called\b", re.IGNORECASE)
NAMED = re.compile(
    r"\b(?:[Mm]y name is|[Mm]y name's|I am called|I'm called|[Cc]all me"
    r"|(?:[Tt]he )?[Uu]ser(?:'s name is| is called))"
    r" ([\w'-]+(?: [A-Z][\w'-]+){0,2})|\bI(?: am|'m) ([A-Z][\w'-]+)\b"
)
FACT = re.compile(r"\b[Mm]y ([a-z][\w' -]{0,40}?) (?:is|are|was|were) ([^.!?\n]{1,200})")
REMEMBER = re.compile(r"^(?:please )?remember(?: that|:)? (.{1,300}?)[.!]?$", re.IGNORECASE)


def recalled(question: str, turns: Sequence[Message], system: str = "") -> str | None:
    """The answer, when the question is about what was said; `None` when it is about something else.

    Args:
        turns: what was said before the question, oldest first.
        system: may name the user.
    """
    asked = [turn.content for turn in turns if turn.role is Role.USER]
    answered = [turn.content for turn in turns if turn.role is Role.ASSISTANT]
    if match := MY_QUESTION.search(question):
        return quoted("question", asked, next((group for group in match.groups() if group), "last"))
    if match := YOUR_ANSWER.search(question):
        return quoted("answer", answered, match[1] or "last")
    if HOW_MANY.search(question):
        return f"This is your message number {len(asked) + 1}: you sent {len(asked)} before it."
    if WHAT_WAS_SAID.search(question):
        return overview(asked)
    if WHO_AM_I.search(question):
        return told_fact("name", [system, *asked])
    if match := ASKS_A_FACT.search(question):
        said_with_it = [part for part in split_sentences(question) if not ASKS_A_FACT.search(part)]
        return told_fact(match[1].lower().strip(), [system, *asked, *said_with_it])
    return None


def noted(message: str) -> str | None:
    """An acknowledgement, when the message only tells something: a name, a fact, a thing to remember."""
    if "?" in message or len(message) > 300:
        return None
    if match := REMEMBER.match(message.strip()):
        return (
            f"Noted: {as_said(match[1])}. It is part of this conversation now, so you can ask for it later."
        )
    if match := NAMED.search(message):
        name = match[1] or match[2]
        return f"Hello {name}! What would you like to know? *Ask me something from the workshop.*"
    if match := FACT.search(message):
        return f"Noted: your {match[1]} is {as_said(match[2])}. Ask me for it whenever you like."
    return None


def quoted(kind: str, said: Sequence[str], which: str) -> str:
    """One of the things said, in its own words."""
    place = ORDINALS.get(which.lower(), -1)
    if not said:
        return f"There is no {kind} before this one: the conversation has just begun."
    if place >= len(said):
        return f"There is no {which.lower()} {kind} yet; so far there {count_of(kind, len(said))}."
    label = "last" if place == -1 else which.lower()
    owner = "Your" if kind == "question" else "My"
    return f"{owner} {label} {kind} was:\n\n" + "\n".join(f"> {line}" for line in said[place].splitlines())


def count_of(kind: str, count: int) -> str:
    return f"is one {kind}" if count == 1 else f"are {count} {kind}s"


def overview(asked: Sequence[str]) -> str:
    if not asked:
        return "We have not spoken of anything yet."
    lines = [f"{number}. {shortened(text)}" for number, text in enumerate(asked, start=1)]
    return "So far you asked:\n\n" + "\n".join(lines)


def told_fact(name: str, said: Sequence[str]) -> str:
    """What was told of it last."""
    if name == "name":
        names = [match[1] or match[2] for text in said for match in NAMED.finditer(text)]
        return f"Your name is {names[-1]}." if names else "You have not told me your name."
    facts = [match[2] for text in said for match in FACT.finditer(text) if match[1].lower().strip() == name]
    if not facts:
        return f"You have not told me what your {name} is."
    return f"Your {name} is {as_said(facts[-1])}."


def as_said(words: str) -> str:
    return words.strip().rstrip(".,;")


def shortened(text: str, most: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
