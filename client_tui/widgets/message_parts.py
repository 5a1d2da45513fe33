"""The pieces of a message row: lines of segments for cards, photos, bars and rules.

What can be clicked carries the id of its action in the ``meta`` of its style: ``do`` for an action
of the chat, ``photo`` for the number of a photo.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size

from client_tui.core.outbox import OutboxPhoto
from client_tui.core.uploads import Phase, Progress
from client_tui.deals import Card
from client_tui.format import cells, visible_line, wrap
from client_tui.keymap import key_of
from client_tui.pictures import Pictures
from client_tui.waiting import Waiting
from client_tui.widgets.palette import Palette
from client_tui.widgets.photo import fit_cells, fit_shape
from shared_models.media import Photo

Line = list[Segment]

PHOTO_ROWS: Final = 7
_PHOTO_COLUMNS: Final = 22
_PHOTO_GAP: Final = 2
_BAR_COLUMNS: Final = 12
_PHASES: Final = {
    Phase.CHECKING: "checking",
    Phase.PROCESSING: "copies",
    Phase.READY: "ready",
}


def width_of(line: Iterable[Segment]) -> int:
    """The cells of a line."""
    return sum(segment.cell_length for segment in line)


def centered(line: Line, width: int) -> Line:
    """A line in the middle."""
    return [Segment(" " * max(0, (width - width_of(line)) // 2)), *line]


def rule(label: str, width: int, style: Style) -> Line:
    """A label in the middle of a thin rule."""
    spare = max(0, width - cells(label) - 2)
    left = spare // 2
    return [Segment(f"{'─' * left} {label} {'─' * (spare - left)}", style)]


Named = tuple[str, str]
"""The id of an action of the chat, and its label in a row."""


def action_segments(actions: Iterable[Named], palette: Palette, lead: str = "") -> Line:
    """Keys with their labels, three blanks apart. ``lead`` stands before the first one.

    It is as wide whatever it says: a click brings the focus here, and must hit what it was aimed
    at.
    """
    line: Line = []
    for action_id, label in actions:
        meta = Style(meta={"do": action_id})
        key = Segment(key_of("chat", action_id), palette.key + meta)
        before = Segment("   ") if line else Segment(lead, palette.dim)
        line += [before, key, Segment(f" {label}", palette.plain + meta)]
    return line


def action_lines(actions: Iterable[Named], width: int, palette: Palette, lead: str) -> list[Line]:
    """The same on as many lines as they need."""
    lines: list[Line] = []
    for action in actions:
        piece = action_segments([action], palette)
        if lines and width_of(lines[-1]) + 3 + width_of(piece) <= width:
            lines[-1] += [Segment("   "), *piece]
        else:
            before = " " * cells(lead) if lines else lead
            lines.append([Segment(before, palette.dim), *piece])
    return lines


def card_lines(card: Card, width: int, palette: Palette, lead: str) -> list[Line]:
    """A bar, the title and how it stands; what can be done stands to the right or below."""
    live = card.live
    bar = Segment("┃ ", palette.accent if live else palette.dim)
    style = palette.bold if live else palette.dim
    wrapped = wrap(visible_line(card.title), width - 2)
    *above, first = [[bar, Segment(line, style)] for line in wrapped]
    note = [Segment(f"  {card.note}", palette.dim)] if card.note else []
    keys = action_segments(card.actions, palette, lead)
    spare = width - width_of([*first, *note, *keys])
    if spare >= 3:
        return [*above, [*first, *note, Segment(" " * spare), *keys]]
    if width_of([*first, *note]) <= width:
        first, note = [*first, *note], []
    lines = [[bar, *line] for line in action_lines(card.actions, width - 2, palette, lead)] or [
        [bar]
    ]
    if note and width_of([*lines[-1], *note]) <= width:
        lines[-1] += note
    return [*above, first, *lines] if live or note else [*above, first]


def photo_lines(photos: Sequence[Photo], width: int, pictures: Pictures) -> list[Line]:
    """Thumbnails side by side, their tops in a line."""
    box = _box(len(photos), width)
    drawn = []
    for index, photo in enumerate(photos):
        size = fit_cells(photo, box) or box
        meta = Style(meta={"photo": index})
        strips = pictures.draw(photo, size.width, size.height)
        drawn.append(_Column(size.width, [list(strip.apply_style(meta)) for strip in strips]))
    return _side_by_side(drawn)


def waiting_photo_lines(
    waiting: Waiting, width: int, pictures: Pictures, palette: Palette
) -> list[Line]:
    """The pictures from this machine's disk, each with a bar of its own below."""
    photos = waiting.message.photos
    box = _box(max(1, len(photos)), width)
    drawn, bars = [], []
    for photo in photos:
        if photo.upload_id is not None:
            pictures.is_uploaded(photo.path, photo.upload_id)
        size = fit_shape(*pictures.local_size(photo.path), box) or box
        strips = pictures.draw_local(photo.path, size.width, size.height)
        columns = max(size.width, _BAR_COLUMNS)
        bar = _progress(waiting, photo, columns, palette)
        drawn.append(_Column(columns, [list(strip) for strip in strips]))
        bars.append(_Column(columns, [bar]))
    return [*_side_by_side(drawn), *_side_by_side(bars)]


class _Column(NamedTuple):
    width: int
    lines: list[Line]


def _box(count: int, width: int) -> Size:
    spare = width - _PHOTO_GAP * (count - 1)
    return Size(max(4, min(_PHOTO_COLUMNS, spare // count)), PHOTO_ROWS)


def _side_by_side(columns: list[_Column]) -> list[Line]:
    rows = max((len(column.lines) for column in columns), default=0)
    return [_row(columns, row) for row in range(rows)]


def _row(columns: list[_Column], row: int) -> Line:
    line: Line = []
    for index, column in enumerate(columns):
        piece = column.lines[row] if row < len(column.lines) else []
        gap = 0 if index == len(columns) - 1 else _PHOTO_GAP
        blank = column.width - width_of(piece) + gap
        line += [*piece, Segment(" " * max(0, blank))]
    return line


def _progress(waiting: Waiting, photo: OutboxPhoto, width: int, palette: Palette) -> Line:
    """A bar, and in words how far it is."""
    progress, uploaded = waiting.progress.get(photo.path), photo.upload_id is not None
    if waiting.has_failed(photo):
        return [Segment("✕ failed", palette.error)]
    words = _words(progress, uploaded=uploaded)
    columns = max(1, width - cells(words) - 1)
    share = 1.0 if uploaded else progress.share if progress else 0.0
    full, rest = _bar(share, columns)
    return [
        Segment(full, palette.accent),
        Segment(rest, palette.rule),
        Segment(f" {words}", palette.dim),
    ]


def _bar(share: float, columns: int) -> tuple[str, str]:
    full = round(share * columns)
    return "━" * full, "─" * (columns - full)


def _words(progress: Progress | None, *, uploaded: bool) -> str:
    if uploaded:
        return "ready"
    if progress is None:
        return "waiting"
    if progress.phase is Phase.SENDING:
        return f"{100 * progress.sent // max(1, progress.size)} %"
    return _PHASES.get(progress.phase, "")
