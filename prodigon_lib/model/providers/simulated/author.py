"""Writes the answer: finds the sections, takes what was asked for, gives it the form that was asked for.

The same conversation, seed and temperature give the same words. The seed only chooses between ways to begin
and to end; at temperature 0 not even that.
"""

import random
import re
from collections.abc import Iterable, Sequence

from prodigon_lib.core.schemas.generate import Message, Role
from prodigon_lib.model.providers.simulated.corpus import Section, load_curriculum
from prodigon_lib.model.providers.simulated.intent import Intent, Want, read_intent
from prodigon_lib.model.providers.simulated.retrieval import Hit, Index, terms
from prodigon_lib.model.providers.simulated.style import Style, read_style, styled

NEAR = 0.72
"""A second section joins the answer when it scores at least this share of the best."""
DETAILED_SECTIONS = 4
DEFINITION_BONUS = 0.35

LEADS = (
    "",
    "Here is the idea.",
    "A short answer first, then the detail.",
    "This is worth being precise about.",
)
ENDINGS = (
    '*Say "tell me more" to go on, or ask for an example.*',
    "*Ask for an example, or for code.*",
    '*Shall I go deeper? Say "tell me more".*',
    "",
)
PERSONA = re.compile(
    r"\byou(?: are|'re) (?:called |named )?((?:an? |the )?[\w][^.,;!?\n]{0,80})", re.IGNORECASE
)
CALLED = re.compile(r"\byour name is ([A-Z][\w'-]+)|\byou are (?:called |named )?([A-Z][\w'-]+)")


class Author:
    """Holds the curriculum; writes one answer at a time, without a state of its own."""

    def __init__(self, sections: Sequence[Section] | None = None) -> None:
        self.index = Index(load_curriculum() if sections is None else sections)
        self.topics = list(dict.fromkeys(s.topic for s in self.index.sections if not s.is_entry))

    def write(self, conversation: Sequence[Message], *, seed: int = 0, temperature: float = 0.7) -> str:
        """The whole answer, in Markdown."""
        system = "\n".join(turn.content for turn in conversation if turn.role is Role.SYSTEM)
        turns = [turn for turn in conversation if turn.role is not Role.SYSTEM]
        question = next((turn.content for turn in reversed(turns) if turn.role is Role.USER), "")
        style = read_style(system, question)
        intent = read_intent(turns, system)
        said = "\n".join(turn.content for turn in turns if turn.role is Role.ASSISTANT)
        chance = random.Random(f"{seed}\n{question}") if temperature > 0 else None
        return styled(self._body(intent, style, system, said, chance), style)

    def _body(
        self, intent: Intent, style: Style, system: str, said: str, chance: random.Random | None
    ) -> str:
        if intent.ready is not None:
            return intent.ready
        if intent.thanks:
            return "You're welcome. What next?"
        if intent.greets or intent.asks_identity:
            return shortened(self._introduction(system, intent.asks_identity), style)
        hits = self.index.search(intent.topic, intent.context)
        if not hits:
            return shortened(self._nothing_found(), style)
        if intent.want is Want.MORE:
            return self._more(hits, style, said)
        if intent.want is not Want.TEXT:
            found = self._form(intent.want, hits, style, said)
            if found:
                return found
        return self._text(hits, intent, style, chance)

    def _introduction(self, system: str, asked: bool) -> str:
        name = CALLED.search(system)
        persona = PERSONA.search(system)
        if name:
            me = f"I am {name[1] or name[2]}"
        elif persona:
            me = f"I am {persona[1].strip()}"
        else:
            me = "I am Prodigon's simulated model" if asked else "Hello! I am Prodigon's simulated model"
        played = ", played by Prodigon's simulated model" if name or persona else ""
        subjects = ", ".join(topic for topic in self.topics[:-1])
        return (
            f"{me}{played}. I don't think; I look things up: my answers come from this workshop's own text. "
            f"Ask me about any of its subjects.\n\nThey are: {subjects}, {self.topics[-1]}."
        )

    def _nothing_found(self) -> str:
        return (
            "I found nothing about that. "
            "I am Prodigon's simulated model and only know this workshop's own text. "
            "With a key in `GROQ_API_KEY`, a live model answers anything.\n\n"
            "What I can speak of:\n\n" + "\n".join(f"- {topic}" for topic in self.topics)
        )

    def _text(self, hits: Sequence[Hit], intent: Intent, style: Style, chance: random.Random | None) -> str:
        if style.sentences or style.bullets:
            asked = f"{intent.topic}\n{intent.context}"
            chosen = self.best_sentences(hits, asked, style.sentences or style.bullets or 1)
            return " ".join(chosen) if style.sentences else bulleted(chosen)
        best = hits[0].section
        if style.brief:
            return first_paragraph(best)
        sections = self._chosen(hits, DETAILED_SECTIONS if style.detailed else 2, style.detailed)
        lead = chance.choice(LEADS) if chance else LEADS[0]
        ending = chance.choice(ENDINGS) if chance else ENDINGS[0]
        return "\n\n".join(part for part in (lead, *map(shown, sections), ending) if part)

    def _chosen(self, hits: Sequence[Hit], most: int, whole_file: bool) -> list[Section]:
        """The best section, and what stands close to it; an entry of the glossary needs company."""
        best = hits[0]
        chosen = [best.section]
        floor = 0.0 if whole_file else NEAR * best.score
        for hit in hits[1:12]:
            section = hit.section
            same = section.file == best.section.file or best.section.is_entry
            if len(chosen) < most and same and not section.is_entry and hit.score >= floor:
                chosen.append(section)
        return chosen

    def _more(self, hits: Sequence[Hit], style: Style, said: str) -> str:
        """What has not been said yet, from the file that speaks of it most."""
        best = next((hit.section for hit in hits if not hit.section.is_entry), hits[0].section)
        rest = [
            hit.section
            for hit in hits
            if not already(hit.section, said) and (hit.section.file == best.file or hit.covered >= 0.6)
        ]
        others = [s for s in self.index.sections if s.file == best.file and not already(s, said)]
        found = rest or others
        if not found:
            return f"That is all that I know about {best.topic}. What else would you like to look at?"
        if style.sentences or style.brief:
            return " ".join(found[0].sentences[: style.sentences or 2])
        return shown(found[0])

    def _form(self, want: Want, hits: Sequence[Hit], style: Style, said: str) -> str:
        """The block that was asked for, with a sentence on it; nothing when no near section has one."""
        best = next((hit.section for hit in hits if not hit.section.is_entry), hits[0].section)
        ordered = [hit.section for hit in hits if hit.section.file == best.file]
        ordered += [hit.section for hit in hits[:8] if hit.section.file != best.file]
        ordered += [s for s in self.index.sections if s.file == best.file and s not in ordered]
        having = [section for section in ordered if blocks(section, want)]
        new = [section for section in having if not already(section, said)] or having
        if not new:
            return ""
        section = new[0]
        if style.only_code and section.code:
            return section.code[0]
        about = " ".join(section.sentences[:2])
        after = section.sentences[2:4]
        parts = [f"**{section.title}.** {about}", blocks(section, want)[0], " ".join(after)]
        return "\n\n".join(part for part in parts if part.strip())

    def best_sentences(self, hits: Sequence[Hit], asked: str, most: int) -> list[str]:
        """Those that speak of most of what was asked, in reading order; a definition before all others."""
        wanted = dict.fromkeys(terms(asked))
        total = sum(self.index.weight(term) for term in wanted) or 1.0
        scored: list[tuple[float, int, str]] = []
        for rank, hit in enumerate(hits[:6]):
            names = set(terms(hit.section.title))
            for place, sentence in enumerate(candidates(hit.section)):
                found = set(terms(sentence)) | names
                value = sum(self.index.weight(term) for term in wanted if term in found) / total
                value += DEFINITION_BONUS * (place == 0) - 0.03 * place - 0.08 * rank
                scored.append((value, rank * 100 + place, sentence))
        top = sorted(scored, key=lambda item: -item[0])[:most]
        return list(dict.fromkeys(sentence for _, _, sentence in sorted(top, key=lambda item: item[1])))


def candidates(section: Section) -> list[str]:
    return [plain_entry(sentence) for sentence in section.sentences] + section.items


def plain_entry(sentence: str) -> str:
    """`**Lease**: the right to …` as a sentence of its own."""
    match = re.match(r"\*\*(.+?)\*\*: (.)(.*)", sentence, re.DOTALL)
    return f"{match[1]}: {match[2]}{match[3]}" if match else sentence


def blocks(section: Section, want: Want) -> list[str]:
    if want is Want.CODE:
        return section.code
    if want is Want.DIAGRAM:
        return section.diagrams
    if want is Want.TABLE:
        return section.tables
    if want is Want.FORMULA:
        return section.formulas
    return section.code + section.tables


def shown(section: Section) -> str:
    return section.body if section.is_entry else f"## {section.title}\n\n{section.body}"


def first_paragraph(section: Section) -> str:
    return section.paragraphs[0] if section.paragraphs else section.title


def already(section: Section, said: str) -> bool:
    """Whether an earlier answer had it: its first sentence stands there."""
    flat = " ".join(said.split())
    return bool(section.sentences) and section.sentences[0] in flat


def bulleted(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def shortened(text: str, style: Style) -> str:
    """A ready text under a wish for brevity."""
    if style.sentences:
        flat = " ".join(text.split("\n\n", 1)[0].split())
        return " ".join(re.split(r"(?<=[.!?]) ", flat)[: style.sentences])
    return text.split("\n\n", 1)[0] if style.brief else text
