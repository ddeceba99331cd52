"""The learner's commands on the demonstration: python -m tests.demonstration.command FOLDER check 1.1"""

import sys
from pathlib import Path

import typer

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.workshop.commands import register
from prodigon_lib.workshop.curriculum import Curriculum
from tests.demonstration.curriculum import demonstration

if __name__ == "__main__":
    curriculum = demonstration(Path(sys.argv.pop(1)))
    Curriculum.default = lambda: curriculum
    app = typer.Typer(pretty_exceptions_enable=False)
    register(app)
    try:
        app()
    except ProdigonError as error:
        sys.exit(f"prodigon: {error.message}")
