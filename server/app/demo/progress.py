"""How far the seeding has come, for a progress bar."""

from collections.abc import Callable

Report = Callable[[int, int, str], None]
"""Told `(done, total, label)`; the total never changes."""


class Progress:
    """Counts what is done and tells it on."""

    def __init__(self, total: int, report: Report) -> None:
        self._total = total
        self._report = report
        self._done = 0

    def add(self, label: str) -> None:
        """One more is done; `label` says what is under way."""
        self._done += 1
        self._report(self._done, self._total, label)
