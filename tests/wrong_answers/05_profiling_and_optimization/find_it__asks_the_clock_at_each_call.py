# fails: the build in which
from pyinstrument import Profiler


def slowest(run):
    profiler = Profiler(interval=0.001)
    with profiler:
        run()
    own, total = {}, 0.0
    for stack, seconds in profiler.last_session.frame_records:
        name = stack[-1].partition("\x00")[0]
        own[name] = own.get(name, 0.0) + seconds
        total += seconds
    name = max(own, key=own.get)
    return name, own[name] / total
