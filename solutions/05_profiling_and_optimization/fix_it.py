"""Exercise 5.2: mend three faults, and change nothing that a caller can see.

`sources` gives the title and the marked text of each passage with a word in it. Of passages with the same
words it keeps the first. It works, and it is slow in three ways: a query for each passage, a comparison of
each with each, and rules that are read again for each passage.

Titles and rules may change between two calls, and the next call must see that.

Done when the answers are the same on random shelves, the number of statements does not grow with the number
of passages, it takes at most a third of the time that it takes now, and the time grows no faster than the
passages.
"""

import json
import re
import sqlite3

WORDS = re.compile(r"\w+")
FOUND = "SELECT document_id, body FROM passages WHERE body LIKE ? ORDER BY id LIMIT ?"


def sources(database: sqlite3.Connection, rules_text: str, word: str, most: int) -> list[tuple[str, str]]:
    """Title and marked text of each passage with `word` in it, in order, at most `most` of them looked at.

    Args:
        rules_text: JSON, from a term to what stands in its place.
    """
    passages = database.execute(FOUND, (f"%{word}%", most)).fetchall()

    # <gap> Ask for all titles at once. Tables: documents (id, title), passages (id, document_id, body).
    # | titles = {}
    # | for document_id, _ in passages:
    # |     row = database.execute("SELECT title FROM documents WHERE id = ?", (document_id,))
    # |     titles[document_id] = row.fetchone()[0]
    # One parameter for any number of ids; a JOIN in the first statement would do as well.
    wanted = json.dumps(list({document_id for document_id, _ in passages}))
    asked = "SELECT id, title FROM documents WHERE id IN (SELECT value FROM json_each(?))"
    titles = dict(database.execute(asked, (wanted,)))
    # </gap>

    # <gap> Keep the first passage of those with the same words, in order, and look at each passage once.
    # | kept: list[tuple[int, str]] = []
    # | for document_id, body in passages:
    # |     if not any(WORDS.findall(body.lower()) == WORDS.findall(each.lower()) for _, each in kept):
    # |         kept.append((document_id, body))
    # A dictionary finds an equal key without looking at the others, and keeps the order of insertion.
    first: dict[tuple[str, ...], tuple[int, str]] = {}
    for document_id, body in passages:
        first.setdefault(tuple(WORDS.findall(body.lower())), (document_id, body))
    kept = list(first.values())
    # </gap>

    # <gap> Do once what is the same for all passages of this call.
    # | marked = []
    # | for document_id, body in kept:
    # |     pattern = re.compile("|".join(sorted(map(re.escape, json.loads(rules_text)))))
    # |     text = pattern.sub(lambda match: json.loads(rules_text)[match[0]], body)
    # |     marked.append((titles[document_id], text))
    # Once a call and not once for all: the rules may be others next time. A cache with the text as its key
    # would save that too.
    rules = json.loads(rules_text)
    pattern = re.compile("|".join(sorted(map(re.escape, rules))))
    marked = [(titles[number], pattern.sub(lambda match: rules[match[0]], body)) for number, body in kept]
    # </gap>
    return marked
