"""What a learner may do wrong at the desk, each said in one line."""

from prodigon_lib.core.errors import ProdigonError


class WorkshopError(ProdigonError):
    """A foreseeable fault: an exercise that does not exist, a file that can't be read. One line says it."""

    default_code = "WORKSHOP_ERROR"

    def _render_traceback_(self) -> list[str]:
        """IPython shows this in place of a traceback."""
        return [f"Prodigon: {self.message}"]


class CheckFailed(AssertionError):
    """A check of a solution failed. `str()` is the whole report.

    Raised only with PRODIGON_EXERCISES=solutions, where a fail is a fault of ours; a learner's fail is shown.
    """
