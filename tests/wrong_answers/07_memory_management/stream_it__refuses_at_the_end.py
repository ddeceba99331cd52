# fails: read of it until then
LONGEST = 1_000_000


def event(document):
    return b"data: " + document + b"\n\n"


def pass_on(pieces, digest):
    rest = []
    for piece in pieces:
        digest.update(piece)
        first, *others = piece.split(b"\n")
        rest.append(first)
        for other in others:
            yield event(b"".join(rest))
            rest = [other]
    line = b"".join(rest)
    if len(line) > LONGEST:
        raise ValueError("too long")
    yield event(line)
