"""Days and times as people write them. The clock and the time zone are passed in."""

import re
from datetime import datetime, timedelta, tzinfo

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOW = "Write a day and a time, such as: tomorrow 14:00, sat 14:00 or 2026-11-19 14:00."
_WHICH_DAY = "Write a day, such as: yesterday, sat, 11-19 or 2026-11-19."
_NEAR_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(am|pm)?", re.ASCII | re.IGNORECASE)


def parse_when(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The moment of ``tomorrow 14:00``, ``sat 2pm``, ``11-19 14:00`` or ``2026-11-19 14:00``.

    Raises ``ValueError`` with a sentence for the person who wrote it.
    """
    words = text.strip().lower().split()
    if not 1 <= len(words) <= 3:
        raise ValueError(_HOW)
    here = now.astimezone(zone)
    day_word = words[0] if len(words) > 1 else "today"
    clock = _TIME.fullmatch("".join(words[1:] if len(words) > 1 else words))
    if clock is None:
        raise ValueError(_HOW)
    hour, minute = int(clock[1]), int(clock[2] or 0)
    if clock[3]:
        hour = hour % 12 + (12 if clock[3] == "pm" else 0)
    try:
        year, month, day = _day(day_word, here, past=False)
        return _in_zone(datetime(year, month, day, hour, minute), zone)  # noqa: DTZ001
    except ValueError as error:
        raise ValueError(_HOW) from error


def parse_day(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The beginning of a day that is over or is today: ``yesterday``, ``sat``, ``2026-11-19``.

    Raises ``ValueError`` with a sentence for the person who wrote it.
    """
    try:
        year, month, day = _day(text.strip().lower(), now.astimezone(zone), past=True)
        return _in_zone(datetime(year, month, day), zone)  # noqa: DTZ001
    except ValueError as error:
        raise ValueError(_WHICH_DAY) from error


def _in_zone(at: datetime, zone: tzinfo | None) -> datetime:
    return at.astimezone() if zone is None else at.replace(tzinfo=zone)


def _day(word: str, here: datetime, *, past: bool) -> tuple[int, int, int]:
    direction = -1 if past else 1
    if word in _NEAR_DAYS:
        day = here + timedelta(days=_NEAR_DAYS[word])
    elif word[:3] in _WEEKDAYS and word.isalpha():
        away = direction * (_WEEKDAYS.index(word[:3]) - here.weekday()) % 7
        day = here + timedelta(days=direction * (away or 7))
    else:
        return _date(word, here, past=past)
    return day.year, day.month, day.day


def _date(word: str, here: datetime, *, past: bool) -> tuple[int, int, int]:
    parts = [int(part) for part in re.split(r"[-./]", word) if part.isascii() and part.isdigit()]
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    if len(parts) != 2:
        raise ValueError(word)
    month_and_day, today = (parts[0], parts[1]), (here.month, here.day)
    if past:
        return here.year - (month_and_day > today), *month_and_day
    return here.year + (month_and_day < today), *month_and_day
