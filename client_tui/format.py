"""How values are written for people: money, times, sizes, and text measured in terminal cells.

Pure functions: the clock and the time zone are passed in. Everything gives plain text, never
markup, and imports no Textual, so that the command line may use it too.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from math import ceil
from typing import TYPE_CHECKING, Final, Literal

from rich.cells import cell_len, split_graphemes

from shared_models.text import clean_text

if TYPE_CHECKING:
    from shared_models.listings import ListingCard

LISTING_STATES: Final[Mapping[str, str]] = {
    "draft": "◌ draft",
    "selling": "● selling",
    "reserved": "◐ reserved",
    "sold": "○ sold",
}
TRADE_STATES: Final[Mapping[str, str]] = {
    "reserved": "◐ reserved",
    "shipped": "▸ shipped",
    "handed_over": "◕ handed over",
    "disputed": "! problem",
    "completed": "● completed",
    "canceled": "○ canceled",
}
Align = Literal["left", "right", "center"]

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AMOUNT = re.compile(r"(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?", re.ASCII)

_UTC = re.compile(r"\b(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\b", re.ASCII)

_HARMLESS = re.compile(
    r"[ -~\n\u00a1-\u00ac\u00ae-\u024f\u3041-\u3096\u30a1-\u30fa가-힣一-鿿…·♥★]*"
)
_PICTOGRAPHS = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_STRAY_JOINER = re.compile(rf"(?<![\ufe0f{_PICTOGRAPHS}])\u200d|\u200d(?![{_PICTOGRAPHS}])")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2061-\u206f\u3164\uffa0\ufff9-\ufffb]"
)
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILED_MARKS = re.compile(rf"([{_MARKS}]{{3}})[{_MARKS}]+")
_LEADING_MARKS = re.compile(rf"^[{_MARKS}\u200d\ufe0f]+", re.MULTILINE)

_UNSPACED = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf一-鿿"
_NAMES = re.compile(r"[^/\\]*[/\\]|[^/\\]+")
_TOKENS = re.compile(rf"[ \t]+|[{_UNSPACED}]|[^ \t{_UNSPACED}]+")


def money(amount: int, exponent: int = 0, currency: str = "") -> str:
    """``amount`` minor units with thousands grouped: ``45,000``, ``12.50`` (exponent 2).

    With a currency it leads: ``KRW 45,000``.
    """
    whole, part = divmod(abs(amount), 10**exponent)
    decimals = f".{part:0{exponent}}" if exponent else ""
    sign = "-" if amount < 0 else ""
    return f"{currency} {sign}{whole:,}{decimals}".lstrip()


def counted(number: int, noun: str) -> str:
    """``1 chat``, ``3 chats``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def stars(rating: int) -> str:
    """A rating of one to five: ``★★★★☆``."""
    return "★" * rating + "☆" * (5 - rating)


def listing_state(state: str) -> str:
    """The state of a listing as a glyph and a word, never by colour alone."""
    return LISTING_STATES.get(state, f"· {state}")


def card_state(card: "ListingCard") -> str:
    """The state of a listing, or that it was deleted."""
    return "✕ deleted" if card.deleted else listing_state(card.state)


def trade_state(state: str) -> str:
    """The state of a trade, in the same way."""
    return TRADE_STATES.get(state, f"· {state}")


def hand_over(method: str) -> str:
    """How a thing may change hands."""
    return "meet or post" if method == "both" else method


def parse_money(text: str, exponent: int = 0) -> int:
    """The minor units of a written amount: ``45000``, ``45,000``, ``12.5`` (exponent 2).

    Raises ``ValueError`` with a sentence for the person who wrote it.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"Write an amount in digits, such as {money(45000 * 10**exponent, exponent)}."
        )
    whole, decimals = match[1].replace(",", ""), match[2] or ""
    if len(decimals) > exponent:
        places = f"at most {exponent} decimals" if exponent else "no decimals"
        raise ValueError(f"An amount has {places} here.")
    return int(whole + decimals.ljust(exponent, "0"))


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, as short as can be: ``now``, ``5m``, ``2h``, ``3d``, ``2w``, ``4mo``, ``1y``.

    A moment in the future (the clocks disagree) is ``now``.
    """
    seconds = int((now - moment).total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 1:
        return "now"
    if hours < 1:
        return f"{minutes}m"
    if days < 1:
        return f"{hours}h"
    if days < 7:
        return f"{days}d"
    if days < 35:
        return f"{days // 7}w"
    return f"{days * 12 // 365}mo" if days < 365 else f"{days // 365}y"


def time_left(until: datetime, now: datetime) -> str:
    """How long until a deadline, rounded up: ``48 h left``, ``5 days left``, ``12 min left``.

    A deadline that has passed is ``over``.
    """
    seconds = (until - now).total_seconds()
    if seconds <= 0:
        return "over"
    if seconds > 72 * 3600:
        return f"{ceil(seconds / 86400)} days left"
    if seconds > 99 * 60:
        return f"{ceil(seconds / 3600)} h left"
    return f"{ceil(seconds / 60)} min left"


def clock_time(moment: datetime, zone: tzinfo | None = None) -> str:
    """The time of day, ``14:02``, in ``zone`` (the computer's own when None)."""
    return f"{moment.astimezone(zone):%H:%M}"


def date(moment: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """The day: ``Thu 19 Nov``, with the year only when it is not the present one."""
    here = moment.astimezone(zone)
    year = "" if here.year == now.astimezone(zone).year else f" {here.year}"
    return f"{_WEEKDAYS[here.weekday()]} {here.day} {_MONTHS[here.month - 1]}{year}"


def day(moment: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """The day as people say it: ``Today``, ``Yesterday``, ``Tomorrow`` or the date."""
    days = _days_between(now, moment, zone)
    return {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}.get(days) or date(moment, now, zone)


def date_time(moment: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """Day and time: ``Today 14:00``, ``Sat 14:00`` within the next six days, or the full date."""
    here = moment.astimezone(zone)
    soon = 2 <= _days_between(now, moment, zone) <= 6
    label = _WEEKDAYS[here.weekday()] if soon else day(moment, now, zone)
    return f"{label} {here:%H:%M}"


def with_local_times(text: str, now: datetime, zone: tzinfo | None = None) -> str:
    """A sentence of the server's, with the moments in it as the clock on the wall has them.

    ``Agreed to meet: 2026-11-20 05:00 UTC, exit 3.`` becomes ``Agreed to meet: Tomorrow 14:00, …``.
    """

    def local(match: re.Match[str]) -> str:
        try:
            return date_time(datetime.fromisoformat(f"{match[1]}T{match[2]}Z"), now, zone)
        except ValueError:
            return match[0]

    return _UTC.sub(local, text)


def _days_between(start: datetime, end: datetime, zone: tzinfo | None) -> int:
    whole: timedelta = end.astimezone(zone).date() - start.astimezone(zone).date()
    return whole.days


def file_size(size: int) -> str:
    """A number of bytes for people, in steps of a thousand: ``812 B``, ``64 kB``, ``1.2 MB``."""
    if size < 1000:
        return f"{size} B"
    if size < 999_500:
        return f"{size / 1000:.0f} kB"
    amount, unit = (size / 1e6, "MB") if size < 999_500_000 else (size / 1e9, "GB")
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"


def visible(text: str) -> str:
    """``text`` as it may be written to a terminal: it can neither command nor misalign it.

    Escapes, controls, lone surrogates and bidi overrides are gone, tabs are four spaces, invisible
    letters and joiners outside emoji are gone, at most three marks stand on a letter. The ends are
    stripped, line breaks stay. Text from elsewhere goes through here before it is drawn.
    """
    if _HARMLESS.fullmatch(text):
        return text.strip()
    text = clean_text(text).replace("\t", "    ")
    text = _INVISIBLE.sub("", text)
    text = _STRAY_JOINER.sub("", text)
    text = _PILED_MARKS.sub(r"\1", unicodedata.normalize("NFC", text))
    return _LEADING_MARKS.sub("", text).strip()


def visible_line(text: str) -> str:
    """Like :func:`visible`, on one line: every run of white space is one space."""
    return " ".join(visible(text).split())


def cells(text: str) -> int:
    """How many terminal cells ``text`` takes, by the same table as Textual."""
    return cell_len(text)


def truncate(text: str, width: int, ellipsis: str = "…") -> str:
    """``text`` in at most ``width`` cells; what does not fit gives way to the ellipsis."""
    if cells(text) <= width:
        return text
    room = width - cells(ellipsis)
    return "" if room < 0 else _head(text, room).rstrip() + ellipsis


def pad(text: str, width: int, align: Align = "left") -> str:
    """``text`` filled with spaces to ``width`` cells; longer text is left as it is."""
    spare = max(0, width - cells(text))
    before = {"left": 0, "right": spare, "center": spare // 2}[align]
    return " " * before + text + " " * (spare - before)


def fit(text: str, width: int, align: Align = "left") -> str:
    """``text`` in exactly ``width`` cells: cut with an ellipsis or filled with spaces."""
    return pad(truncate(text, width), width, align)


def wrap(text: str, width: int) -> list[str]:
    """The lines of ``text`` broken between words to at most ``width`` cells; never no line.

    A word longer than a line is broken anywhere, and so are scripts without spaces. Narrower than
    two cells nothing wide can be written: then lines are two cells.
    """
    width = max(2, width)
    return [line for paragraph in text.split("\n") for line in _wrap_line(paragraph, width)]


def wrap_path(path: str, width: int) -> list[str]:
    """The lines of a path, broken behind its separators; a name longer than a line stays whole."""
    lines = [""]
    for name in _NAMES.findall(path):
        if lines[-1] and cells(lines[-1] + name) > width:
            lines.append("")
        lines[-1] += name
    return lines


def estimate_rows(text: str, width: int) -> int:
    """About how many lines :func:`wrap` makes, at a fraction of its cost.

    Half the sum of UTF-8 bytes and characters is exactly the cells of ASCII and of Hangul.
    """
    width = max(2, width)
    if len(text) * 2 <= width and "\n" not in text:
        return 1
    rows = 0
    for line in text.split("\n"):
        about = (len(line.encode("utf-8", "replace")) + len(line)) // 2
        rows += max(1, -(-about // width))
    return rows


def _wrap_line(text: str, width: int) -> Iterator[str]:
    if cells(text) <= width:
        yield text
        return
    line, used = "", 0
    for token in _TOKENS.findall(text):
        size = cells(token)
        if used + size > width:
            if size > width and not token.isspace():
                *full, line = _break(line, used, token, width)
                yield from full
                used = cells(line)
                continue
            if line.strip():
                yield line.rstrip()
            line, used = "", 0
            if token.isspace():
                continue
        line, used = line + token, used + size
    if line.strip():
        yield line.rstrip()


def _break(line: str, used: int, word: str, width: int) -> Iterator[str]:
    """``line`` continued by a word longer than a line, cut wherever a line is full."""
    for start, end, size in split_graphemes(word)[0]:
        if used + size > width:
            yield line.rstrip()
            line, used = "", 0
        line, used = line + word[start:end], used + size
    yield line


def _head(text: str, width: int) -> str:
    used = 0
    for start, _, size in split_graphemes(text)[0]:
        if used + size > width:
            return text[:start]
        used += size
    return text


def left_behind(count: int, handle: str) -> str:
    """What becomes of the messages that wait when their account is signed out; empty for none."""
    if not count:
        return ""
    what, stays = (
        ("1 message was", "It stays") if count == 1 else (f"{count:,} messages were", "They stay")
    )
    return f"{what} not sent. {stays} on this machine, for when @{handle} signs in here again."
