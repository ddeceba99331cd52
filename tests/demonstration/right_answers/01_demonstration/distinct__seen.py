"""A set beside a list."""


def distinct(items):
    seen: set[str] = set()
    return [item for item in items if not (item in seen or seen.add(item))]
