# fails: events
LONGEST = 1_000_000


def event(document):
    return b"data: " + document + b"\n\n"


def pass_on(pieces, digest):
    short = 0
    for piece in pieces:
        digest.update(piece)
        short = 0 if b"\n" in piece else short + len(piece)
        if short > LONGEST:
            raise ValueError("too long")
        for line in piece.split(b"\n"):
            yield event(line)
