"""The pieces of a message row: lines of segments for cards, photos, bars and rules.

What can be clicked carries the id of its action in the ``meta`` of its style: ``do`` for an action
of the chat, ``photo`` for the number of a photo.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size

from client_tui.conversation import Waiting
from client_tui.core.uploads import Phase, Progress
from client_tui.deals import Card
from client_tui.format import cells, file_size, truncate, visible_line
from client_tui.keymap import key_of
from client_tui.pictures import Pictures
from client_tui.widgets.palette import Palette
from client_tui.widgets.photo import fit_cells
from shared_models.media import Photo

Line = list[Segment]

PHOTO_ROWS: Final = 7
_PHOTO_COLUMNS: Final = 22
_PHOTO_GAP: Final = 2
_BAR_COLUMNS: Final = 16
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_PHASES: Final = {
    Phase.CHECKING: "checking",
    Phase.PROCESSING: "making copies",
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


def action_segments(actions: Iterable[tuple[str, str, str]], palette: Palette) -> Line:
    """Keys with their labels, three blanks apart: (key, label, id of the action)."""
    line: Line = []
    for key, label, action_id in actions:
        if line:
            line.append(Segment("   "))
        meta = Style(meta={"do": action_id})
        line += [Segment(key, palette.key + meta), Segment(f" {label}", palette.plain + meta)]
    return line


def card_lines(card: Card, width: int, palette: Palette) -> list[Line]:
    """A bar, the title and how it stands; what can be done stands to the right or below."""
    live = card.live
    bar = Segment("┃ ", palette.accent if live else palette.dim)
    title = truncate(visible_line(card.title), width - 2)
    first: Line = [bar, Segment(title, palette.bold if live else palette.dim)]
    note = f"  {card.note}"
    if card.note and width_of(first) + cells(note) <= width:
        first.append(Segment(note, palette.dim))
    if not live:
        return [first]
    keys = action_segments(((key_of("chat", id), label(id), id) for id in card.actions), palette)
    spare = width - width_of(first) - width_of(keys)
    if spare >= 3:
        return [[*first, Segment(" " * spare), *keys]]
    return [first, [bar, *keys]]


def label(action_id: str) -> str:
    """What an action is called on a card."""
    return {"no_show": "did not come"}.get(action_id, action_id)


def photo_lines(photos: Sequence[Photo], width: int, pictures: Pictures) -> list[Line]:
    """Thumbnails side by side, their tops in a line."""
    gaps = _PHOTO_GAP * (len(photos) - 1)
    columns = max(4, min(_PHOTO_COLUMNS, (width - gaps) // len(photos)))
    drawn = []
    for index, photo in enumerate(photos):
        size = fit_cells(photo, Size(columns, PHOTO_ROWS)) or Size(columns, PHOTO_ROWS)
        meta = Style(meta={"photo": index})
        strips = pictures.draw(photo, size.width, size.height)
        drawn.append((size.width, [list(strip.apply_style(meta)) for strip in strips]))
    rows = max(len(strips) for _, strips in drawn)
    return [_photo_row(drawn, row) for row in range(rows)]


def _photo_row(drawn: list[tuple[int, list[Line]]], row: int) -> Line:
    line: Line = []
    for columns, strips in drawn:
        if line:
            line.append(Segment(" " * _PHOTO_GAP))
        line += strips[row] if row < len(strips) else [Segment(" " * columns)]
    return line


def progress_lines(waiting: Waiting, width: int, palette: Palette) -> list[Line]:
    """One line a photo that is on its way: its name, a bar, how far it is."""
    lines = []
    for index, photo in enumerate(waiting.message.photos):
        progress = waiting.progress.get(index)
        uploaded = photo.upload_id is not None
        name = truncate(visible_line(photo.path.name), max(8, min(24, width - 30)))
        line: Line = [Segment("▣ ", palette.dim), Segment(name), Segment("  ")]
        if progress is not None and progress.phase is Phase.FAILED:
            line.append(Segment("failed", palette.error))
        else:
            share = 1.0 if uploaded else _share(progress)
            full, rest = _bar(share)
            line += [Segment(full, palette.accent), Segment(rest, palette.rule)]
            line.append(Segment("  " + _words(progress, uploaded=uploaded), palette.dim))
        lines.append(line)
    return lines


def _share(progress: Progress | None) -> float:
    if progress is None or progress.phase is Phase.CHECKING:
        return 0.0
    if progress.phase is Phase.SENDING:
        return 0.9 * progress.sent / max(1, progress.size)
    return 0.95 if progress.phase is Phase.PROCESSING else 1.0


def _bar(share: float) -> tuple[str, str]:
    eighths = round(share * _BAR_COLUMNS * 8)
    full, part = divmod(eighths, 8)
    bar = "█" * full + (_EIGHTHS[part] if part else "")
    return bar, "░" * (_BAR_COLUMNS - len(bar))


def _words(progress: Progress | None, *, uploaded: bool) -> str:
    if uploaded:
        return "ready"
    if progress is None:
        return "waiting"
    if progress.phase is Phase.SENDING:
        return f"{100 * progress.sent // max(1, progress.size)} % of {file_size(progress.size)}"
    return _PHASES.get(progress.phase, "")
