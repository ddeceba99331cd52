# fails: in 20 runs
import sys


def lines_of(build):
    lines = 0

    def note(frame, event, argument):
        nonlocal lines
        lines += event == "line"
        return note

    sys.settrace(note)
    queries = build()
    sys.settrace(None)
    return queries, lines


def dearer(candidate, reference):
    own, others = [lines_of(candidate) for _ in range(9)], [lines_of(reference) for _ in range(9)]
    return own[0][0] > 1.15 * others[0][0] or min(own)[1] > 1.15 * min(others)[1]
