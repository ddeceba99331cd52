"""What the author of a check needs. `workshop/lessons/__init__.py` shows a whole one.

An attempt is the answer under check; findings are what was measured and wanted. The rest measures: counts
first, and a clock only as the ratio of interleaved runs.
"""

from prodigon_lib.workshop.checks.check import Attempt, Check, Lacking
from prodigon_lib.workshop.checks.counters import (
    CallCounter,
    count_queries,
    live_objects,
    open_files,
    traced_memory,
)
from prodigon_lib.workshop.checks.findings import Findings
from prodigon_lib.workshop.checks.timing import (
    Noisy,
    Ratio,
    growth,
    interleaved_ratio,
    interleaved_ratio_async,
)
from prodigon_lib.workshop.checks.verdict import Evidence

__all__ = [
    "Attempt",
    "CallCounter",
    "Check",
    "Evidence",
    "Findings",
    "Lacking",
    "Noisy",
    "Ratio",
    "count_queries",
    "growth",
    "interleaved_ratio",
    "interleaved_ratio_async",
    "live_objects",
    "open_files",
    "traced_memory",
]
