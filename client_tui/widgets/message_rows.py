"""Messages as rows of the history: who, when, what, and how far it has got."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from client_tui.conversation import GAP, TOP, Conversation
from client_tui.core.outbox import OutboxMessage, OutboxState
from client_tui.deals import Deals
from client_tui.format import (
    cells,
    clock_time,
    counted,
    day,
    estimate_rows,
    pad,
    truncate,
    visible,
    visible_line,
    wrap,
)
from client_tui.history_pages import End, HistoryPages
from client_tui.pictures import Pictures
from client_tui.waiting import Waiting
from client_tui.widgets.message_parts import (
    PHOTO_ROWS,
    Line,
    action_lines,
    action_segments,
    card_lines,
    centered,
    photo_lines,
    rule,
    waiting_photo_lines,
    width_of,
)
from client_tui.widgets.palette import Palette
from shared_models.chat import Message

_GROUP: Final = timedelta(minutes=5)
_STATE_COLUMNS: Final = 9
_WIDE: Final = 96
_LONGEST_LINE: Final = 88


@dataclass(slots=True)
class Scene:
    """Everything the rows of one room are drawn from."""

    conversation: Conversation
    pages: HistoryPages
    deals: Deals
    pictures: Pictures
    palette: Palette
    other_name: Callable[[], str]
    now: Callable[[], datetime]
    online: Callable[[], bool]
    lead: Callable[[], str]
    """What stands before the keys of a row: the key that leads out of the composer, or blanks."""
    zone: tzinfo | None = None


class MessageRows:
    """Draws the row of a key of the conversation."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def key(self, item: int) -> int:
        """The items are the keys."""
        return item

    def estimate(self, item: int, width: int) -> int:
        """Rows of text and photos, with the lines above."""
        message = self.scene.conversation.message(item)
        if message is not None:
            rows = len(list(self._above(message)))
            return rows + self._body_rows(message.text, bool(message.photos), width)
        waiting = self.scene.conversation.waiting(item)
        if waiting is None:
            return 1
        rows = len(self._above_waiting(waiting))
        return rows + self._body_rows(waiting.message.text, bool(waiting.message.photos), width)

    def _body_rows(self, text: str, has_photos: bool, width: int) -> int:
        rows = PHOTO_ROWS if has_photos else 0
        if text or not has_photos:
            rows += estimate_rows(text, self._text_width(width))
        return rows

    def render(self, item: int, width: int) -> list[Strip]:
        """The row as strips."""
        lines = self._lines(item, width)
        return [Strip(line, width_of(line)) for line in lines]

    def _lines(self, key: int, width: int) -> list[Line]:
        if key == TOP:
            return [self._top(width)]
        if key == GAP:
            return [self._gap(width)]
        message = self.scene.conversation.message(key)
        if message is not None:
            above = [self._separator(line, width) for line in self._above(message)]
            return above + self._message(message, width)
        waiting = self.scene.conversation.waiting(key)
        if waiting is None:
            return [[]]
        above = [self._separator(line, width) for line in self._above_waiting(waiting)]
        return above + self._waiting(waiting, width)

    # Measures

    @staticmethod
    def _name_width(width: int) -> int:
        return 12 if width >= _WIDE else 7

    def _gutter(self, width: int) -> int:
        return self._name_width(width) + 2 + 5 + 3

    def _text_width(self, width: int) -> int:
        return max(10, min(_LONGEST_LINE, width - self._gutter(width) - _STATE_COLUMNS))

    # Lines between messages

    def _above(self, message: Message) -> Iterator[str]:
        """What separates a message from the one before: a new day, the unread line."""
        before = self.scene.conversation.message_before(message.seq)
        if before is None or not self._same_day(before.created_at, message.created_at):
            yield day(message.created_at, self.scene.now(), self.scene.zone)
        if message.seq == self.scene.conversation.unread_line:
            yield ""

    def _separator(self, text: str, width: int) -> Line:
        palette = self.scene.palette
        if text:
            return centered([Segment(text, palette.dim)], width)
        label = f"{self.scene.conversation.unread} unread"
        return rule(label, width, palette.accent)

    def _same_day(self, one: datetime, other: datetime) -> bool:
        zone = self.scene.zone
        return one.astimezone(zone).date() == other.astimezone(zone).date()

    def _top(self, width: int) -> Line:
        conversation, pages, palette = self.scene.conversation, self.scene.pages, self.scene.palette
        if conversation.more_before and not conversation.window:
            told = "the messages are not here yet   "
            keys = action_segments([("refresh", "tries again")], palette)
            return centered([Segment(told, palette.dim), *keys], width)
        if pages.ends[TOP] is End.FAILED:
            return self._failed_page(pages.reasons[TOP], width)
        if pages.ends[TOP] is End.LOADING:
            return centered([Segment("loading older messages…", palette.dim)], width)
        if conversation.more_before:
            return centered([Segment("· · ·", palette.dim)], width)
        return centered([Segment("the chat begins here", palette.dim)], width)

    def _gap(self, width: int) -> Line:
        conversation, pages, palette = self.scene.conversation, self.scene.pages, self.scene.palette
        if pages.ends[GAP] is End.FAILED:
            return self._failed_page(pages.reasons[GAP], width)
        text = counted(conversation.missing, "newer message")
        if pages.ends[GAP] is End.LOADING:
            text += ", loading…"
        return centered([Segment(text, palette.dim)], width)

    def _failed_page(self, reason: str, width: int) -> Line:
        palette = self.scene.palette
        actions = action_segments([("retry", "retry")], palette, self.scene.lead())
        told = truncate(visible_line(reason), max(8, width - width_of(actions) - 4))
        return centered([Segment(told, palette.error), Segment("   "), *actions], width)

    # Messages

    def _message(self, message: Message, width: int) -> list[Line]:
        if message.system is not None:
            return self._system(message, width)
        text_width = self._text_width(width)
        body: list[Line] = []
        if message.deleted:
            body.append([Segment("deleted", self.scene.palette.dim + Style(italic=True))])
        elif message.text:
            body += [[Segment(line)] for line in wrap(visible(message.text), text_width)]
        if message.photos:
            body += photo_lines(message.photos, text_width, self.scene.pictures)
        if message.warning is not None:
            warned = wrap("! " + visible_line(message.warning.text), text_width)
            body += [[Segment(line, self.scene.palette.warning)] for line in warned]
        label = self._sent_label(message)
        lines = self._with_state(body, label, self.scene.palette.dim, width)
        if not self._opens_group(message):
            return self._indented(lines, width)
        return self._with_gutter(lines, self._name(message), message.created_at, width)

    def _system(self, message: Message, width: int) -> list[Line]:
        scene, text_width = self.scene, self._text_width(width)
        card = scene.deals.card(message, truncate(scene.other_name(), 16))
        if card is not None:
            body = card_lines(card, width - self._gutter(width), scene.palette, scene.lead())
        else:
            text = visible(scene.deals.line(message))
            body = [[Segment(line, scene.palette.dim)] for line in wrap(text, text_width)]
        return self._with_gutter(body, None, message.created_at, width)

    def _name(self, message: Message) -> Segment:
        if message.sender_id == self.scene.conversation.me:
            return Segment("me", self.scene.palette.dim)
        return Segment(self.scene.other_name(), self.scene.palette.peer)

    def _opens_group(self, message: Message) -> bool:
        """Whether the sender is named: not in a row of messages within a few minutes."""
        before = self.scene.conversation.message_before(message.seq)
        if before is None or before.sender_id != message.sender_id:
            return True
        if message.seq == self.scene.conversation.unread_line:
            return True
        return self._apart(before.created_at, message.created_at)

    def _before_waiting(self, waiting: Waiting) -> tuple[bool, datetime] | None:
        """Whether what stands above is mine, and from when it is."""
        conversation = self.scene.conversation
        before = conversation.waiting_before(waiting)
        if before is not None:
            return True, before.message.created_at
        last = conversation.message(conversation.window.stop - 1)
        return None if last is None else (last.sender_id == conversation.me, last.created_at)

    def _above_waiting(self, waiting: Waiting) -> list[str]:
        """The day, when what waits is from another one than what stands above."""
        before, at = self._before_waiting(waiting), waiting.message.created_at
        if before is not None and self._same_day(before[1], at):
            return []
        return [day(at, self.scene.now(), self.scene.zone)]

    def _opens_group_of_mine(self, waiting: Waiting) -> bool:
        conversation, before = self.scene.conversation, self._before_waiting(waiting)
        if conversation.waiting_before(waiting) is None and not conversation.at_newest:
            return True  # what stands above is not what it was said after
        return before is None or not before[0] or self._apart(before[1], waiting.message.created_at)

    def _apart(self, one: datetime, other: datetime) -> bool:
        return abs(other - one) >= _GROUP or not self._same_day(one, other)

    def _sent_label(self, message: Message) -> str:
        conversation = self.scene.conversation
        if message.sender_id != conversation.me or message.deleted:
            return ""
        if message.seq > conversation.peer_read_seq:
            return "sent ✓"
        return "read" if message.seq == conversation.newest_read else ""

    def _waiting(self, waiting: Waiting, width: int) -> list[Line]:
        message, palette = waiting.message, self.scene.palette
        text_width = self._text_width(width)
        body: list[Line] = []
        if message.text:
            body += [[Segment(line)] for line in wrap(visible(message.text), text_width)]
        if message.photos:
            body += waiting_photo_lines(waiting, text_width, self.scene.pictures, palette)
        label, style = self._waiting_label(waiting)
        lines = self._with_state(body or [[]], label, style, width)
        if message.state is OutboxState.FAILED:
            lines += self._failure(message, text_width)
        elif (reason := waiting.trouble) and self.scene.online():
            lines += self._stumble(reason, text_width)
        if not self._opens_group_of_mine(waiting):
            return self._indented(lines, width)
        return self._with_gutter(lines, Segment("me", palette.dim), message.created_at, width)

    def _waiting_label(self, waiting: Waiting) -> tuple[str, Style]:
        palette = self.scene.palette
        if waiting.seq is not None:
            return "sent ✓", palette.dim
        match waiting.message.state:
            case OutboxState.FAILED:
                return "failed", palette.error
            case _ if not self.scene.online():  # also what was on its way: it is sent again
                return "queued · offline", palette.warning
            case OutboxState.QUEUED if waiting.trouble or not waiting.is_going_up:
                return "queued", palette.dim
            case _:
                return "sending", palette.dim

    def _failure(self, message: OutboxMessage, width: int) -> list[Line]:
        palette, reason = self.scene.palette, message.reason or message.code or ""
        told: list[Line] = [
            [Segment(line, palette.error)] for line in wrap(visible_line(reason), width)
        ]
        others = len(message.photos) > 1 or message.text
        photo_out = [("photo_out", "photo out")] if message.photos and others else []
        actions = [("retry", "retry"), ("edit_message", "edit"), *photo_out, ("remove", "discard")]
        return [*told, *action_lines(actions, width, palette, self.scene.lead())]

    def _stumble(self, reason: str, width: int) -> list[Line]:
        """Why it has not gone yet, though the line is there."""
        palette = self.scene.palette
        told = f"{visible_line(reason)} It is tried again."
        lines: list[Line] = [[Segment(line, palette.warning)] for line in wrap(told, width)]
        actions = (("retry", "retry now"), ("remove", "discard"))
        return [*lines, *action_lines(actions, width, palette, self.scene.lead())]

    # Columns

    def _with_gutter(
        self, lines: list[Line], name: Segment | None, at: datetime, width: int
    ) -> list[Line]:
        """Who and when left of the first line."""
        room = self._name_width(width)
        who = name or Segment("")
        time = Segment(f"  {clock_time(at, self.scene.zone)}   ", self.scene.palette.dim)
        first, *others = lines
        shown = who.text if cells(who.text) <= room else who.text.split(" ")[0]
        named = Segment(pad(truncate(shown, room), room, "right"), who.style)
        return [[named, time, *first], *self._indented(others, width)]

    def _indented(self, lines: list[Line], width: int) -> list[Line]:
        blank = Segment(" " * self._gutter(width))
        return [[blank, *line] for line in lines]

    def _with_state(self, lines: list[Line], label: str, style: Style, width: int) -> list[Line]:
        """The state of a message at the right of its last line, or below where that is full."""
        if not label:
            return lines
        room = width - self._gutter(width)
        *others, last = lines
        spare = room - width_of(last) - cells(label)
        if spare < 1:
            return [*lines, [Segment(" " * max(0, room - cells(label))), Segment(label, style)]]
        return [*others, [*last, Segment(" " * spare), Segment(label, style)]]
