# fails: read before the first event
LONGEST = 1_000_000


def event(document):
    return b"data: " + document + b"\n\n"


def pass_on(pieces, digest):
    whole = b"".join(pieces)
    digest.update(whole)
    for line in whole.split(b"\n"):
        yield event(line)
