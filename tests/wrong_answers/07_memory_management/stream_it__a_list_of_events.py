# fails: read before the first event
LONGEST = 1_000_000


def event(document):
    return b"data: " + document + b"\n\n"


def pass_on(pieces, digest):
    events, rest = [], b""
    for piece in pieces:
        digest.update(piece)
        *lines, rest = (rest + piece).split(b"\n")
        events += [event(line) for line in lines]
    events.append(event(rest))
    return iter(events)
