# fails: events
LONGEST = 1_000_000


def event(document):
    return b"data: " + document + b"\n\n"


def pass_on(pieces, digest):
    rest = b""
    for piece in pieces:
        digest.update(piece)
        *lines, rest = (rest + piece).split(b"\n")
        yield from map(event, lines)
        if len(rest) > LONGEST:
            raise ValueError("too long")
