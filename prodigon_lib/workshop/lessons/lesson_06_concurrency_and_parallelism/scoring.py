"""Work for a processor, in plain Python: how alike a text is to each of many passages.

Imports nothing but the standard library: processes of a pool import it, too.
"""

import math

DIMENSIONS = 64
ALPHABET = 31


class NoWords(ValueError):
    """The text has nothing to score."""


def score(text: str, passages: int) -> float:
    """The best likeness of `text` to any of so many passages, each made from its number; the same each time.

    Raises:
        NoWords: the text is blank.
    """
    if not text.strip():
        raise NoWords("a text without words has no score")
    own = embedding(text)
    return max(cosine(own, embedding(f"passage {number} {number * number}")) for number in range(passages))


def embedding(text: str) -> list[float]:
    """A vector of letters and pairs of letters: what a model would give, without the model."""
    vector = [0.0] * DIMENSIONS
    before = 0
    for letter in text:
        code = ord(letter)
        vector[code % DIMENSIONS] += 1.0
        vector[(before * ALPHABET + code) % DIMENSIONS] += 0.5
        before = code
    return vector


def cosine(one: list[float], other: list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / (math.sqrt(sum(a * a for a in one)) * math.sqrt(sum(b * b for b in other)))
