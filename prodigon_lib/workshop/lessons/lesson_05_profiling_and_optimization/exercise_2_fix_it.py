"""Mend three faults."""

import json
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from prodigon_lib.workshop.checks import Attempt, Check, Findings, growth, interleaved_ratio
from prodigon_lib.workshop.table import Table

HINTS = (
    "One statement can bring all titles: a JOIN in the first one, or WHERE id IN with the ids of all."
    " SQLite's json_each turns one parameter, a JSON list, into rows, so that the text of the statement"
    " never changes.",
    "What makes two passages the same is their list of words. As a tuple it can be the key of a dictionary:"
    " setdefault keeps the first that came, and the dictionary keeps the order. Then no passage is compared"
    " with another.",
    "json.loads and re.compile depend on rules_text alone, so move them in front of the loop. A cache over"
    " calls must have rules_text itself as its key; one without it would give yesterday's rules.",
)
Sources = Callable[[sqlite3.Connection, str, str, int], list[tuple[str, str]]]
WORDS = re.compile(r"\w+")
FOUND = "SELECT document_id, body FROM passages WHERE body LIKE ? ORDER BY id LIMIT ?"
TIMED = 40
SIZES = (400, 800, 1600, 3200)
TURNS = 9
SHELVES = (0, 1, 2, 90, 160)
RATIO = 3
SLOPE = 1.2


class Case:
    """A shelf, rules and a word, all drawn."""

    def __init__(self, attempt: Attempt, passages: int) -> None:
        self.chance = attempt.random
        self.words = [attempt.token(5) for _ in range(60)]
        self.word = attempt.token(7)
        self.database = shelf(self.chance, self.words, self.word, passages)
        self.passages = passages
        self.rules = self.new_rules()

    def new_rules(self) -> str:
        terms = self.chance.sample(self.words, 30)
        return json.dumps({term: f"[{term}{self.chance.randint(0, 999)}]" for term in terms})

    def change(self) -> None:
        """Another title for each document, and other rules."""
        self.database.execute("UPDATE documents SET title = title || ?", (str(self.chance.randint(0, 9)),))
        self.rules = self.new_rules()

    def ask(self, sources: Sources) -> list[tuple[str, str]]:
        return [tuple(row) for row in sources(self.database, self.rules, self.word, self.passages)]  # type: ignore[misc]


class FixItCheck(Check):
    seconds = 25

    def run(self, attempt: Attempt, findings: Findings) -> None:
        sources: Sources = attempt.get("sources")
        same_answers(attempt, findings, sources)
        few_statements(attempt, findings, sources)
        faster(attempt, findings, sources)
        in_step(attempt, findings, sources)


def same_answers(attempt: Attempt, findings: Findings, sources: Sources) -> None:
    case = Case(attempt, 40)
    compare(findings, sources, case)
    case.change()
    findings.equal(
        "the answer after titles and rules have changed", case.ask(sources), case.ask(as_given),
        step="What is kept between two calls must not be what may change between them.",
    )  # fmt: skip
    for passages in SHELVES:
        compare(findings, sources, Case(attempt, passages))


def compare(findings: Findings, sources: Sources, case: Case) -> None:
    findings.equal(
        f"the answer from {case.passages} passages", case.ask(sources), case.ask(as_given),
        step="Keep the first passage of those with the same words, in the order in which they are found.",
    )  # fmt: skip


def few_statements(attempt: Attempt, findings: Findings, sources: Sources) -> None:
    counts = {}
    for passages in (30, 120, 480):
        case = Case(attempt, passages)
        with counted(case.database) as statements:
            case.ask(sources)
        counts[passages] = len(statements)
    few, many = counts[30], counts[480]
    findings.equal(
        "statements for 480 passages, where 30 take as many", many, few,
        step="Ask for the titles of all passages in one statement.",
        evidence=Table(["passages", "statements"], list(counts.items())),
    )  # fmt: skip


def faster(attempt: Attempt, findings: Findings, sources: Sources) -> None:
    case = Case(attempt, TIMED)
    ratio = interleaved_ratio(
        lambda: case.ask(sources), lambda: case.ask(as_given), clock=time.process_time, rounds=9
    )
    findings.faster(
        f"{TIMED} passages, against what you were given", ratio, RATIO,
        step="Profile it again: which of the three steps takes the most now?",
    )  # fmt: skip


def in_step(attempt: Attempt, findings: Findings, sources: Sources) -> None:
    """The time over a range in which anything quadratic is far ahead of the rest."""
    cases = [Case(attempt, size) for size in SIZES]
    # In turns, and each turn has a slope of its own: a processor has moments in which it is twice as fast.
    turns = [[seconds_of(case, sources) for case in cases] for _ in range(TURNS)]
    slope = median(growth(SIZES, costs) for costs in turns)
    costs = [median(each) for each in zip(*turns, strict=True)]
    findings.at_most(
        f"slope of the time from {SIZES[0]} to {SIZES[-1]:,} passages, 1 being in step", slope,
        SLOPE, step="Something still looks at all others for each one: an `in` on a list is such a search.",
        evidence=Table(
            ["passages", "ms"], [(size, 1000 * cost) for size, cost in zip(SIZES, costs, strict=True)]
        ),
    )  # fmt: skip


def seconds_of(case: Case, sources: Sources) -> float:
    began = time.process_time()
    case.ask(sources)
    return time.process_time() - began


@contextmanager
def counted(database: sqlite3.Connection) -> Iterator[list[str]]:
    """The statements that a database is sent while the block runs."""
    statements: list[str] = []
    database.set_trace_callback(statements.append)
    try:
        yield statements
    finally:
        database.set_trace_callback(None)


def shelf(chance: random.Random, words: list[str], word: str, passages: int) -> sqlite3.Connection:
    """Documents and passages, all with the word; about a third repeat the words of one before them."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE documents (id INTEGER PRIMARY KEY, title TEXT)")
    database.execute("CREATE TABLE passages (id INTEGER PRIMARY KEY, document_id INT, body TEXT)")
    documents = max(1, passages // 2)
    titles = [(number, f"{chance.choice(words)} {number}") for number in range(documents)]
    database.executemany("INSERT INTO documents VALUES (?, ?)", titles)
    bodies: list[str] = []
    for _ in range(passages):
        if bodies and chance.random() < 0.3:
            bodies.append(set_anew(chance, chance.choice(bodies)))
        else:
            body = [word, *chance.choices(words, k=9)]
            chance.shuffle(body)
            bodies.append(" ".join(body))
    rows = [(chance.randrange(documents), body) for body in bodies]
    chance.shuffle(rows)
    database.executemany("INSERT INTO passages (document_id, body) VALUES (?, ?)", rows)
    return database


def set_anew(chance: random.Random, body: str) -> str:
    """The same words with other spaces, capitals and stops."""
    between = chance.choice(["  ", ", ", " - "])
    return between.join(each.upper() if chance.random() < 0.2 else each for each in body.split())


def as_given(
    database: sqlite3.Connection, rules_text: str, word: str, most: int
) -> list[tuple[str, str]]:  # fmt: skip
    """What the exercise begins with: right, and slow."""
    passages = database.execute(FOUND, (f"%{word}%", most)).fetchall()
    titles = {}
    for document_id, _ in passages:
        row = database.execute("SELECT title FROM documents WHERE id = ?", (document_id,))
        titles[document_id] = row.fetchone()[0]
    kept: list[tuple[int, str]] = []
    for document_id, body in passages:
        if not any(WORDS.findall(body.lower()) == WORDS.findall(each.lower()) for _, each in kept):
            kept.append((document_id, body))
    marked = []
    for document_id, body in kept:
        pattern = re.compile("|".join(sorted(map(re.escape, json.loads(rules_text)))))
        text = pattern.sub(lambda match: str(json.loads(rules_text)[match[0]]), body)
        marked.append((titles[document_id], text))
    return marked
