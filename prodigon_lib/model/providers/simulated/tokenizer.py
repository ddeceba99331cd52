"""A small deterministic tokenizer: pieces of words, marks and spaces whose concatenation is the text.

Real ones learn their pieces from data. This one cuts by rule, at about the same length: a piece is a word, or
eight letters of a long one, with the space before it.
"""

import re

PIECE = re.compile(r" ?\w{1,8}| ?[^\w\s]{1,3}|\s")
LONGEST_PIECE = 9


def tokenize(text: str) -> list[str]:
    return PIECE.findall(text)


def count_tokens(text: str) -> int:
    return sum(1 for _ in PIECE.finditer(text))
