"""The newest readings of one process."""

from collections import deque

from prodigon_lib.widgets.dashboard.figures import Figures, Reading, Step, figures, increments

WINDOW = 5
"""Steps that one figure is made of: a percentile of two seconds would be that of a few requests."""


class Meter:
    """Takes readings; tells figures of the last of them."""

    def __init__(self) -> None:
        self.reading: Reading = {}
        self._at: float | None = None
        self._steps: deque[Step] = deque(maxlen=WINDOW)

    def take(self, reading: Reading, at: float) -> None:
        """`at` is in seconds, of any clock that only goes forward."""
        if self._at is not None and at > self._at:
            self._steps.append(Step(at - self._at, increments(self.reading, reading)))
        self.reading, self._at = reading, at

    def missed(self) -> None:
        """The process did not answer: no figure spans the silence."""
        self._steps.clear()
        self._at = None

    def figures(self, service: str | None = None) -> Figures | None:
        return figures(self._steps, service)
