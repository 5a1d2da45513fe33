from datetime import UTC, datetime, timedelta, timezone

import pytest

from client_tui.moments import parse_day, parse_when

SEOUL = timezone(timedelta(hours=9))
NOW = datetime(2026, 11, 19, 16, 30, tzinfo=UTC)
"""Friday, 01:30 in Seoul."""


@pytest.mark.parametrize(
    ("written", "day", "hour", "minute"),
    [
        ("today 14:00", "2026-11-20", 14, 0),
        ("14:00", "2026-11-20", 14, 0),
        ("Tomorrow 9:05", "2026-11-21", 9, 5),
        ("sat 14:00", "2026-11-21", 14, 0),
        ("saturday 2pm", "2026-11-21", 14, 0),
        ("fri 12am", "2026-11-27", 0, 0),
        ("mon 12 pm", "2026-11-23", 12, 0),
        ("12-24 18:00", "2026-12-24", 18, 0),
        ("1/5 10:00", "2027-01-05", 10, 0),
        ("2027-02-28 23:59", "2027-02-28", 23, 59),
    ],
)
def test_a_moment_is_read_as_people_write_it(
    written: str, day: str, hour: int, minute: int
) -> None:
    at = parse_when(written, NOW, SEOUL)
    assert (f"{at:%Y-%m-%d}", at.hour, at.minute) == (day, hour, minute)
    assert at.utcoffset() == timedelta(hours=9)


@pytest.mark.parametrize(
    "written",
    ["", "soon", "tomorrow", "25:00", "sat 14:60", "2026-02-30 10:00", "a b c d", "１４:００"],
)
def test_what_is_no_moment_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="such as: tomorrow 14:00"):
        parse_when(written, NOW, SEOUL)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("today", "2026-11-20"),
        ("yesterday", "2026-11-19"),
        ("thu", "2026-11-19"),
        ("fri", "2026-11-13"),
        ("11-21", "2025-11-21"),
        ("11-20", "2026-11-20"),
        ("2024.2.29", "2024-02-29"),
    ],
)
def test_a_day_that_is_over_is_read(written: str, day: str) -> None:
    at = parse_day(written, NOW, SEOUL)
    assert (f"{at:%Y-%m-%d}", at.hour) == (day, 0)


@pytest.mark.parametrize("written", ["", "x", "2-30", "11", "--"])
def test_what_is_no_day_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="such as: yesterday"):
        parse_day(written, NOW, SEOUL)


def test_without_a_zone_it_is_the_computers_own() -> None:
    assert parse_when("14:00", NOW).utcoffset() is not None
