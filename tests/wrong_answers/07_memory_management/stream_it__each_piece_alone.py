# fails: a line without an end
LONGEST = 1_000_000


def event(document):
    return b"data: " + document + b"\n\n"


def pass_on(pieces, digest):
    for piece in pieces:
        digest.update(piece)
        for line in piece.split(b"\n"):
            if len(line) > LONGEST:
                raise ValueError("too long")
            yield event(line)
