"""What capacity is worked out from is read from the page of figures; what is not there is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.capacity import measured
from bench.capacity.measured import NotMeasured
from bench.figures import HEADER, Figures, row

LOOK = Figures("a look", [2.0, 3.0, 4.0], 2, 0.005, 0.003, "1,234 looks a second; it holds 56 MiB")
NOTHING = Figures("nothing", [1.0], 1, 0.0, -0.001)


@pytest.fixture(autouse=True)
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A page as the bench prints it."""
    path = tmp_path / "figures.md"
    path.write_text("\n".join(("# Figures", "## PostgreSQL", "", *HEADER, row(LOOK), row(NOTHING))))
    monkeypatch.setattr(measured, "_PAGE", path)
    measured.tables.cache_clear()
    yield
    measured.tables.cache_clear()


def test_a_line_is_what_was_printed() -> None:
    look = measured.measured("PostgreSQL", "a look")
    assert (look.p50_ms, look.server_ms, look.database_ms) == (3.0, 2.5, 1.5)
    assert look.told("looks a second") == 1_234
    assert look.told_of("it holds") == 56


def test_what_is_blank_or_less_than_nothing_is_nothing() -> None:
    nothing = measured.measured("PostgreSQL", "nothing")
    assert (nothing.server_ms, nothing.database_ms) == (0.0, 0.0)


@pytest.mark.parametrize(("heading", "name"), [("PostgreSQL", "a leap"), ("SQLite", "a look")])
def test_a_line_that_is_not_there_is_told(heading: str, name: str) -> None:
    with pytest.raises(NotMeasured, match=f"no line '{name}' below '{heading}'"):
        measured.measured(heading, name)


def test_a_number_that_is_not_there_is_told() -> None:
    look = measured.measured("PostgreSQL", "a look")
    with pytest.raises(NotMeasured, match="'a look': nothing is told of 'KiB'"):
        look.told("KiB")
    with pytest.raises(NotMeasured, match="nothing is told of 'leaps'"):
        look.told_of("leaps")
