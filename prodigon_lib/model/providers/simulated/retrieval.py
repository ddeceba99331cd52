"""Which sections speak of what was asked: BM25 over the curriculum.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). Words of a section's
title, and of its file's, count several times.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from prodigon_lib.model.providers.simulated.corpus import Section

K1 = 1.4
B = 0.6
TITLE_WEIGHT = 5
TOPIC_WEIGHT = 2
ENOUGH = 0.4
"""Share of what was asked, by weight, that the best section must speak of; below, nothing was found."""
MOST_TERMS = 200

WORD = re.compile(r"[a-z0-9]+")

STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as ask asked asks at be because been before being
    between both briefly but by can could detail details describe did do does doing done don else example
    examples explain few fewer first for from further get give given go good got had has have having he
    her here him his how i if in into is it its itself just know let lets like list ll ma make many may me
    mean means might more most much must my name need no nor not now of off on once one only or other our
    out over own paragraph please question re s same say sentence sentences shall she should show simple
    simply so some such summarise summarize t tell than that the their them then there these they thing
    things this those three through to too topic two under up us use used uses using ve very want was way
    we well were what when where which while who why will with within word words would write you your
    """.split()
)

ALIASES = {
    "auth": "authentication authorization",
    "authn": "authentication",
    "authz": "authorization",
    "backpressure": "back pressure",
    "di": "dependency injection",
    "http2": "http grpc",
    "jwt": "jwt token",
    "k8s": "kubernetes",
    "pg": "postgres",
    "postgresql": "postgres",
    "protobuf": "protocol buffers protobuf",
    "ratelimit": "rate limit",
    "ratelimiting": "rate limit",
    "rpc": "grpc",
    "slow": "slow latency",
    "sse": "server sent events sse",
    "throttle": "rate limit",
    "throttling": "rate limit",
    "ttft": "time first token ttft",
}

SUFFIXES = (
    ("ization", "iz", 9),
    ("isation", "iz", 9),
    ("ation", "", 9),
    ("ating", "", 9),
    ("ated", "", 8),
    ("ate", "", 8),
    ("encies", "", 9),
    ("ency", "", 9),
    ("ents", "", 9),
    ("ent", "", 9),
    ("ies", "y", 5),
    ("ing", "", 6),
    ("ed", "", 5),
    ("es", "", 5),
    ("s", "", 4),
    ("e", "", 5),
)


def stem(word: str) -> str:
    """Fold the forms of a word onto each other: limits, limited and limiting are `limit`."""
    if word.endswith(("ss", "us", "is")):
        return word
    for suffix, instead, shortest in SUFFIXES:
        if len(word) >= shortest and word.endswith(suffix):
            word = word[: -len(suffix)] + instead
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "aeiousl":  # shipping, ship
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 4 else word


def terms(text: str) -> list[str]:
    """The words that carry meaning, folded."""
    found: list[str] = []
    for word in WORD.findall(text.lower()):
        parts = ALIASES.get(word, word).split()
        found.extend(stem(part) for part in parts if part not in STOP_WORDS)
    return found


@dataclass(frozen=True, slots=True)
class Hit:
    """`covered` is the share of the question's weight that the section speaks of."""

    section: Section
    score: float
    covered: float


class Index:
    """The sections, ready to be searched."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self.sections = list(sections)
        self._counts = [self._weighted(section) for section in self.sections]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / max(1, len(self._lengths))
        self._holders: dict[str, list[int]] = defaultdict(list)
        for number, counts in enumerate(self._counts):
            for term in counts:
                self._holders[term].append(number)

    @staticmethod
    def _weighted(section: Section) -> Counter[str]:
        counts = Counter(terms(section.body))
        for text, weight in ((section.title, TITLE_WEIGHT), (section.topic, TOPIC_WEIGHT)):
            for term in terms(text):
                counts[term] += weight
        return counts

    def weight(self, term: str) -> float:
        """How much a term tells: the rarer, the more. One that nobody speaks of weighs most."""
        holders = len(self._holders.get(term, ()))
        return log(1 + (len(self.sections) - holders + 0.5) / (holders + 0.5))

    def search(self, query: str, context: str = "") -> list[Hit]:
        """The sections that speak of `query`, best first; none when too little of it is known.

        Args:
            context: what was spoken of before; counts a third, and only breaks ties of what the query leaves
                open.
        """
        asked = dict.fromkeys(terms(query)[:MOST_TERMS], 1.0)
        for term in terms(context)[:MOST_TERMS]:
            asked.setdefault(term, 1 / 3)
        total = sum(self.weight(term) * share for term, share in asked.items())
        scores: dict[int, float] = defaultdict(float)
        covered: dict[int, float] = defaultdict(float)
        for term, share in asked.items():
            weight = self.weight(term) * share
            for number in self._holders.get(term, ()):
                scores[number] += weight * self._saturated(number, term)
                covered[number] += weight / total
        hits = [Hit(self.sections[number], score, covered[number]) for number, score in scores.items()]
        hits.sort(key=lambda hit: (-hit.score, hit.section.file, hit.section.position))
        return hits if any(hit.covered >= ENOUGH for hit in hits[:5]) else []

    def _saturated(self, number: int, term: str) -> float:
        count = self._counts[number][term]
        longer = 1 - B + B * self._lengths[number] / self._mean
        return count * (K1 + 1) / (count + K1 * longer)
