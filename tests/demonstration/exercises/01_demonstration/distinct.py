"""Exercise 1.3: the distinct items of a list.

Done when the result has each item once, in the order of their first appearance, in a time that grows no
faster than the list.
"""


def distinct(items: list[str]) -> list[str]:
    """Each item once, in the order of first appearance."""
    # TODO Give back each item once, and look none up in a list.
    raise NotImplementedError
