"""What `python -m bench` measured, read from the page that it printed: docs/figures.md."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs" / "figures.md"
_CELLS = 7


class NotMeasured(Exception):
    """The page has no such figure."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: CPU in ms of an operation, and how long it took in the middle."""

    name: str
    p50_ms: float
    server_ms: float
    database_ms: float
    note: str

    def told(self, unit: str) -> float:
        """The number that the note has before these words; raises :class:`NotMeasured`."""
        return self._number(rf"([\d,.]+) ?{re.escape(unit)}", unit)

    def told_of(self, what: str) -> float:
        """The number that the note has behind these words; raises :class:`NotMeasured`."""
        return self._number(rf"{re.escape(what)} ([\d,.]*\d)", what)

    def _number(self, pattern: str, words: str) -> float:
        found = re.search(pattern, self.note)
        if found is None:
            raise NotMeasured(f"docs/figures.md, {self.name!r}: nothing is told of {words!r}")
        return float(found[1].replace(",", ""))


def measured(heading: str, name: str) -> Row:
    """A line below a heading; raises :class:`NotMeasured`."""
    lines = tables().get(heading, {})
    if name not in lines:
        raise NotMeasured(f"docs/figures.md has no line {name!r} below {heading!r}")
    return lines[name]


@cache
def tables() -> dict[str, dict[str, Row]]:
    """The lines of the page by heading and name."""
    heading, found = "", dict[str, dict[str, Row]]()
    for line in _PAGE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == _CELLS and line.startswith("| ") and cells[0] != "measured":
            name, p50, _, _, server, database, note = cells
            row = Row(name, _cpu(p50), _cpu(server), _cpu(database), note)
            found.setdefault(heading, {})[name] = row
    return found


def _cpu(cell: str) -> float:
    """A blank is nothing; so is less: of a database whose helpers have ended meanwhile."""
    return max(0.0, float(cell or 0))
