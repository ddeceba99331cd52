# fails: memory at its peak
LONGEST = 1_000_000


def event(document):
    return b"data: " + document + b"\n\n"


def pass_on(pieces, digest):
    seen, rest = [], b""
    for piece in pieces:
        digest.update(piece)
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            seen.append(line)
            yield event(line)
        if len(rest) > LONGEST:
            raise ValueError("too long")
    if rest:
        yield event(rest)
