"""One statement with a JOIN, rules in a cache that has their text as its key, and a set of what was seen."""

import json
import re
from functools import lru_cache

WORDS = re.compile(r"\w+")
FOUND = """
    SELECT title, body FROM passages JOIN documents ON documents.id = document_id
    WHERE body LIKE ? ORDER BY passages.id LIMIT ?
"""


@lru_cache(maxsize=8)
def rules_of(text):
    rules = json.loads(text)
    return rules, re.compile("|".join(map(re.escape, sorted(rules))))


def sources(database, rules_text, word, most):
    rules, pattern = rules_of(rules_text)
    seen, found = set(), []
    for title, body in database.execute(FOUND, (f"%{word}%", most)):
        key = " ".join(WORDS.findall(body.lower()))
        if key not in seen:
            seen.add(key)
            found.append((title, pattern.sub(lambda match: rules[match[0]], body)))
    return found
