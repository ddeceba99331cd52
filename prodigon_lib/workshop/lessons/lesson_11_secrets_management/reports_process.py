"""The process of the service of exercise 11.1, with everything on that writes down what happens in it.

python reports_process.py ANSWER KEY_FILE CRASH_REPORT PROVIDER TOOL…

It makes a report about each line of its input. Logs go to standard error at every level. Of an error that
nobody caught a traceback goes there, and a report with the local variables of the answer's functions into
CRASH_REPORT. What a caller and a notebook are shown goes to standard output, as one JSON object a line;
before each report, MOMENT goes to both.
"""

import json
import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from IPython.core.formatters import DisplayFormatter

from prodigon_lib.workshop.checks.loading import load_module

MOMENT = "--- "


def main(answer: str, key_file: str, crash_report: str, provider: str, *tool: str) -> None:
    logging.basicConfig(level=logging.DEBUG, format="%(name)s %(message)s")

    def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        Path(crash_report).write_text(report_of(error, answer))
        sys.__excepthook__(kind, error, trace)

    sys.excepthook = crashed
    module = load_module(Path(answer))
    settings = module.Settings(provider=provider, tool=tool, key_file=Path(key_file))
    reports = module.Reports(settings)
    for about in sys.stdin.read().split():
        for stream in (sys.stdout, sys.stderr):
            print(f"{MOMENT}{about}", file=stream, flush=True)
        status, body = reports.report(about)
        shown = in_a_notebook(reports, settings, (status, body))
        said = {
            "status": status,
            "body": body,
            "repr": f"{reports!r} {reports!s} {reports}",
            "notebook": shown,
        }
        print(json.dumps(said, default=str), flush=True)


def in_a_notebook(*things: Any) -> str:
    """Everything that a cell would keep that ends with one of these."""
    return repr([DisplayFormatter().format(thing) for thing in things])


def report_of(error: BaseException, answer: str) -> str:
    """As crash reporters keep it: each error with its words, and the variables of the answer's own frames."""
    parts: list[str] = []
    pending: BaseException | None = error
    while pending is not None:
        told = traceback.TracebackException.from_exception(pending, capture_locals=True)
        frames = [frame for frame in told.stack if frame.filename == answer]
        parts += [*told.format_exception_only(), *(f"{frame.name}: {frame.locals}" for frame in frames)]
        pending = pending.__cause__ or (None if pending.__suppress_context__ else pending.__context__)
    return "\n".join(parts)


if __name__ == "__main__":
    main(*sys.argv[1:])
