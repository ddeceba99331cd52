# fails: the answer from
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

    wanted = json.dumps(list({document_id for document_id, _ in passages}))
    asked = "SELECT id, title FROM documents WHERE id IN (SELECT value FROM json_each(?))"
    titles = dict(database.execute(asked, (wanted,)))

    first: dict[tuple[str, ...], tuple[int, str]] = {}
    for document_id, body in passages:
        first.setdefault(tuple(WORDS.findall(body)), (document_id, body))
    kept = list(first.values())

    rules = json.loads(rules_text)
    pattern = re.compile("|".join(sorted(map(re.escape, rules))))
    marked = [(titles[number], pattern.sub(lambda match: rules[match[0]], body)) for number, body in kept]
    return marked
