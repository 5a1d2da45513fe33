"""One room's history as it stands on the screen: a stretch of messages, and what waits below it.

The stretch is always without a hole: ``seq`` rises by one from the first to the last message in
memory. What the server has beyond its ends is known only as a number. Rows are known by a key: a
message by its ``seq``, one that waits in the outbox by its negative number there, the row above
the oldest message by ``TOP`` and the one for newer messages that are not here by ``GAP``.

Nothing here knows Textual, the network or the disk. Every change notes which rows look different;
:meth:`Conversation.take_changes` hands that to whoever draws.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final
from uuid import UUID

from client_tui.core.outbox import OutboxMessage
from client_tui.core.uploads import Progress
from client_tui.waiting import Waiting, WaitingLine
from shared_models.chat import Message
from shared_models.realtime import Ok

TOP: Final = 0
GAP: Final = 2**60
_MINE: Final = 1_000
"""So many of my newest messages are known again when the outbox still speaks of them."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows that look different, and rows that are known by another key now (old to new)."""

    touched: frozenset[int]
    renamed: dict[int, int]


class Conversation:
    """The messages of one room, as far as they are in memory."""

    def __init__(
        self,
        me: UUID,
        *,
        read_seq: int = 0,
        unread: int = 0,
        peer_read_seq: int = 0,
        heard: Callable[[Message], None] | None = None,
    ) -> None:
        """``read_seq`` and ``unread`` as the room was opened: the unread line stays where it is.

        ``heard`` is told every message that comes into memory.
        """
        self.me = me
        self._heard = heard
        self.more_before = True
        self.head = 0
        """The newest ``seq`` that is known to exist."""
        self.read_seq = read_seq
        self.unread = unread
        self.peer_read_seq = peer_read_seq
        self._messages: dict[int, Message] = {}
        self._deleted: dict[int, Message] = {}
        self._window = range(1, 1)
        self._waiting = WaitingLine()
        self._mine_here: dict[UUID, int] = {}
        self._unread_line: int | None = None
        self._newest_read: int | None = None
        self._touched: set[int] = set()
        self._renamed: dict[int, int] = {}

    # What is there

    @property
    def window(self) -> range:
        """The ``seq`` of the messages in memory."""
        return self._window

    @property
    def at_newest(self) -> bool:
        """Whether nothing newer exists than what is in memory."""
        return self._window.stop - 1 >= self.head

    @property
    def missing(self) -> int:
        """How many messages are between the window and what waits below it."""
        below = sum(one.seq is not None for one in self._waiting.values())
        return max(1, self.head - self._window.stop + 1 - below)

    def news_after(self, seq: int) -> int:
        """How many messages after one are not mine, as far as is known."""
        in_memory = range(max(seq + 1, self._window.start), self._window.stop)
        mine = {one for one in in_memory if self.is_mine(self._messages[one])}
        mine.update(one for one in self._mine_here.values() if one > seq)
        return max(0, self.head - seq - len(mine))

    @property
    def keys(self) -> list[int]:
        """All rows, from the top; where nothing is here yet, no gap to count."""
        gap = [] if self.at_newest or not self._window else [GAP]
        return [TOP, *self._window, *gap, *(waiting.key for waiting in self._waiting.values())]

    def message(self, key: int) -> Message | None:
        """The message of a row; None for other rows."""
        return self._messages.get(key)

    def waiting(self, key: int) -> Waiting | None:
        """What waits in a row; None for other rows."""
        return self._waiting.in_row(key)

    def waiting_before(self, waiting: Waiting) -> Waiting | None:
        """What waits just above; None for the first."""
        return self._waiting.beside(waiting, -1)

    def message_before(self, seq: int) -> Message | None:
        """The message above one in the window; None where its row is the first."""
        return self._messages.get(seq - 1)

    def is_mine(self, message: Message) -> bool:
        """Whether I sent or caused it."""
        if message.system is not None:
            return message.system.actor_id == self.me
        return message.sender_id == self.me

    def rows_with(self, photo_id: UUID) -> list[int]:
        """The messages that show a photo. What waits shows its own, which may be this one."""
        return [
            *(
                seq
                for seq, message in self._messages.items()
                if any(photo.id == photo_id for photo in message.photos)
            ),
            *(one.key for one in self._waiting.values() if one.message.photos),
        ]

    @property
    def unread_line(self) -> int | None:
        """The message above which the unread ones began when the room was opened."""
        if self.unread and self._unread_line is None and self.read_seq + 1 in self._window:
            unread = range(self.read_seq + 1, self._window.stop)
            self._unread_line = next(
                (seq for seq in unread if not self.is_mine(self._messages[seq])), None
            )
        return self._unread_line

    @property
    def newest_read(self) -> int | None:
        """My newest message that the other side has read."""
        if self._newest_read is None:
            read = range(self._window.start, min(self.peer_read_seq + 1, self._window.stop))
            self._newest_read = next(
                (seq for seq in reversed(read) if self._messages[seq].sender_id == self.me), None
            )
        return self._newest_read

    # Pages

    def start(self, page: Sequence[Message], *, more_before: bool) -> None:
        """Show this stretch and nothing else of what was there."""
        begin = page[0].seq if page else self.head + 1
        self._touched.update(self._window, (TOP, GAP))
        self._messages, self._window = {}, range(begin, begin)
        self.more_before = more_before
        self._newest_read = None
        self._extend(page)

    def prepend(self, page: Sequence[Message], *, more_before: bool) -> None:
        """Put older messages above; a page that does not reach the window changes nothing."""
        older = [message for message in page if message.seq < self._window.start]
        if older and older[-1].seq + 1 != self._window.start:
            return
        for message in older:
            self._put(message)
        if older:
            self._touched.add(self._window.start)
            self._window = range(older[0].seq, self._window.stop)
        self.more_before = more_before
        self._touched.add(TOP)
        self._newest_read = None

    def append(self, page: Sequence[Message]) -> None:
        """Put newer messages below; a page that does not reach the window changes nothing."""
        newer = [message for message in page if message.seq >= self._window.stop]
        if newer and newer[0].seq == self._window.stop:
            self._extend(newer)

    def _extend(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._put(message)
        if messages:
            self._window = range(self._window.start, messages[-1].seq + 1)
            self.know_head(self._window.stop - 1)
            self._newest_read = None
            self._drop_sent()
            self._touched.update(one.key for one in islice(self._waiting.values(), 1))

    def _drop_sent(self) -> None:
        """What the server has stands in the history, which has come to it or is beyond it now."""
        for cid in self._waiting.sent_before(self._window.stop):
            self._waits_no_more(cid)

    def _waits_no_more(self, cid: UUID) -> Waiting | None:
        """Take it from what waits: the row below it stands below another one then."""
        waiting = self._waiting.pop(cid)
        below = self._waiting.beside(waiting, 1) if waiting else None
        if below is not None:
            self._touched.add(below.key)
        return waiting

    def _put(self, message: Message) -> None:
        known = self._messages.get(message.seq)
        if known is not None and known.deleted:
            return
        message = self._deleted.get(message.seq, message)
        self._messages[message.seq] = message
        self._touched.add(message.seq)
        self._has_come(message)
        if self._heard is not None:
            self._heard(message)

    def _has_come(self, message: Message) -> None:
        """Match what waits by its ``cid``: it becomes the message, in place."""
        if message.cid is None or message.sender_id != self.me:
            return
        self._know_mine(message.cid, message.seq)
        waiting = self._waits_no_more(message.cid)
        if waiting is not None:
            self._renamed[waiting.key] = message.seq

    def _has_come_beyond(self, message: Message) -> None:
        """What of it is mine goes on standing below what is missing."""
        if not self.is_mine(message):
            return
        self._know_mine(message.cid or message.id, message.seq)
        waiting = self._waiting.get(message.cid) if message.cid is not None else None
        if waiting is None or message.deleted or message.seq < self._window.stop:
            self._has_come(message)
        else:
            self._waiting[waiting.message.cid] = replace(waiting, seq=message.seq)
            self._touched.add(waiting.key)

    def _know_mine(self, cid: UUID, seq: int) -> None:
        """The outbox may speak of it once more; not of what is far older, however much is read."""
        self._mine_here[cid] = seq
        if len(self._mine_here) > 2 * _MINE:
            oldest_first = sorted(self._mine_here.items(), key=lambda item: item[1])
            self._mine_here = dict(oldest_first[-_MINE:])

    def know_head(self, seq: int) -> None:
        """Messages up to ``seq`` exist."""
        if seq > self.head:
            self.head = seq
            self._touched.add(GAP)

    def prune(self, limit: int, first_seen: int, last_seen: int) -> None:
        """Forget messages at the ends until ``limit`` are left, the farthest from those in view."""
        surplus = len(self._window) - limit
        if surplus <= 0:
            return
        above = max(0, first_seen - self._window.start)
        below = max(0, self._window.stop - 1 - last_seen)
        surplus = min(surplus, above + below)
        top = max(0, surplus - below, min((surplus + above - below) // 2, above, surplus))
        kept = range(self._window.start + top, self._window.stop - (surplus - top))
        for seq in (*range(self._window.start, kept.start), *range(kept.stop, self._window.stop)):
            del self._messages[seq]
        self._window = kept
        self.more_before = self.more_before or top > 0
        self._newest_read = None
        self._touched.update((TOP, GAP, kept.start))

    # Live

    def take(self, message: Message) -> None:
        """A message came, or became a tombstone. One that is here already is not put twice.

        A tombstone is remembered: a page that was read before may come with the text after it.
        """
        if message.deleted:
            self._deleted[message.seq] = message
        if message.seq in self._window:
            self._put(message)
        elif message.seq == self._window.stop:
            self._extend([message])
        else:
            self.know_head(message.seq)
            self._has_come_beyond(message)

    def read_by_peer(self, seq: int) -> None:
        """The other side has read up to ``seq``."""
        if seq <= self.peer_read_seq:
            return
        before = self.newest_read
        changed = range(self.peer_read_seq + 1, seq + 1)
        self.peer_read_seq, self._newest_read = seq, None
        self._touched.update(key for key in changed if key in self._window)
        if before is not None:
            self._touched.add(before)

    # What waits

    def wait_for(self, message: OutboxMessage, progress: Progress | None = None) -> None:
        """A message is in the outbox, is in another state there, or a photo of it got further."""
        if message.cid in self._mine_here:
            return
        known = self._waiting.get(message.cid)
        if progress is None:
            waiting = replace(known or Waiting(message), message=message)
        elif known is None:
            return  # discarded; its upload has not heard of it yet
        else:  # what the upload knows of the message may be older than an edit
            waiting = replace(known, progress={**known.progress, progress.path: progress})
        self._waiting[message.cid] = waiting
        self._touched.add(waiting.key)

    def sent(self, cid: UUID, ok: Ok) -> None:
        """The server has it; its own event comes before or after this (R3)."""
        waiting = self._waiting.get(cid)
        if waiting is None:
            return
        self._touched.add(waiting.key)
        if ok.seq < self._window.stop:
            self._waits_no_more(cid)
        else:
            self._waiting[cid] = replace(waiting, seq=ok.seq)

    def discard(self, cid: UUID) -> None:
        """It will not be sent."""
        self._waits_no_more(cid)

    def all_waiting(self) -> Iterable[Waiting]:
        """What waits, in order."""
        return self._waiting.values()

    # Drawing

    def touch(self, *keys: int) -> None:
        """These rows look different."""
        self._touched.update(keys)

    def take_changes(self) -> Changes:
        """What has changed since the last time."""
        changes = Changes(frozenset(self._touched), self._renamed)
        self._touched, self._renamed = set(), {}
        return changes


def run_up_to(messages: Iterable[Message], before: int | None) -> list[Message]:
    """The longest stretch without a hole that ends just below ``before`` (anywhere when None)."""
    run: list[Message] = []
    for message in sorted(messages, key=lambda message: message.seq, reverse=True):
        expected = run[-1].seq - 1 if run else before - 1 if before is not None else message.seq
        if message.seq != expected:
            break
        run.append(message)
    return run[::-1]


def run_from(messages: Iterable[Message], after: int) -> list[Message]:
    """The longest stretch without a hole that begins just above ``after``."""
    run: list[Message] = []
    for message in sorted(messages, key=lambda message: message.seq):
        if message.seq != after + len(run) + 1:
            break
        run.append(message)
    return run
