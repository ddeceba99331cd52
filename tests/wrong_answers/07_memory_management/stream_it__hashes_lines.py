# fails: the hash of the input
LONGEST = 1_000_000


def event(document):
    return b"data: " + document + b"\n\n"


def pass_on(pieces, digest):
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            digest.update(line)
            yield event(line)
        if len(rest) > LONGEST:
            raise ValueError("too long")
    if rest:
        digest.update(rest)
        yield event(rest)
