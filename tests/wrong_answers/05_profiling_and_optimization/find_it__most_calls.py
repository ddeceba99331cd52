# fails: the build in which
import sys
from collections import Counter


def slowest(run):
    calls = Counter()

    def note(frame, event, _argument):
        if event == "call":
            calls[frame.f_code.co_name] += 1

    sys.setprofile(note)
    run()
    sys.setprofile(None)
    name, count = calls.most_common(1)[0]
    return name, count / calls.total()
