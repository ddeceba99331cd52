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

    # TODO Ask for all titles at once. Tables: documents (id, title), passages (id, document_id, body).
    titles = {}
    for document_id, _ in passages:
        row = database.execute("SELECT title FROM documents WHERE id = ?", (document_id,))
        titles[document_id] = row.fetchone()[0]

    # TODO Keep the first passage of those with the same words, in order, and look at each passage once.
    kept: list[tuple[int, str]] = []
    for document_id, body in passages:
        if not any(WORDS.findall(body.lower()) == WORDS.findall(each.lower()) for _, each in kept):
            kept.append((document_id, body))

    # TODO Do once what is the same for all passages of this call.
    marked = []
    for document_id, body in kept:
        pattern = re.compile("|".join(sorted(map(re.escape, json.loads(rules_text)))))
        text = pattern.sub(lambda match: json.loads(rules_text)[match[0]], body)
        marked.append((titles[document_id], text))
    return marked
