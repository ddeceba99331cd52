# fails: the build in which
import cProfile
import pstats


def slowest(run):
    profiler = cProfile.Profile()
    profiler.runcall(run)
    rows = [(own, name) for (_, _, name), (_, _, own, _, _) in pstats.Stats(profiler).stats.items()]
    own, name = max(rows)
    return name, own / sum(each for each, _ in rows)
