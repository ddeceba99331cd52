"""Exercise 1.3: the distinct items of a list.

Done when the result has each item once, in the order of their first appearance, in a time that grows no
faster than the list.
"""


def distinct(items: list[str]) -> list[str]:
    """Each item once, in the order of first appearance."""
    # <gap> Give back each item once, and look none up in a list.
    # A dictionary keeps the order of its keys; a set beside a list would do as well.
    return list(dict.fromkeys(items))
    # </gap>
