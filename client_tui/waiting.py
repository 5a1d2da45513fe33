"""What waits below one room's history, in the order in which it was written.

A room may have thousands of these after a long time offline; nothing here looks at all of them to
find or add one.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from client_tui.core.outbox import OutboxMessage, OutboxPhoto, OutboxState
from client_tui.core.uploads import Phase, Progress


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message of the outbox; ``seq`` once the server has it and its event is still to come.

    ``progress`` is how far each of its photos is, by the file that is uploaded.
    """

    message: OutboxMessage
    progress: dict[Path, Progress] = field(default_factory=dict)
    seq: int | None = None

    @property
    def key(self) -> int:
        """Its row."""
        return -self.message.number

    @property
    def trouble(self) -> str:
        """What is wrong with a photo of it; empty when nothing is."""
        steps = (self.progress.get(photo.path) for photo in self.message.photos)
        failed = (step.reason for step in steps if step and step.phase is Phase.FAILED)
        return next(failed, "")

    @property
    def is_going_up(self) -> bool:
        """Whether its photos are on their way. When all are there it may wait for its turn."""
        there = all(photo.upload_id for photo in self.message.photos)
        return bool(self.progress) and not there

    def has_failed(self, photo: OutboxPhoto) -> bool:
        """Whether this one did not come through, just now or before the chat was opened."""
        step = self.progress.get(photo.path)
        if step is not None:
            return step.phase is Phase.FAILED
        return photo.failure is not None and self.message.state is OutboxState.FAILED


class WaitingLine:
    """The messages that wait, each found by its ``cid``, its row or the one above it."""

    def __init__(self) -> None:
        self._by_cid: dict[UUID, Waiting] = {}
        self._cids: dict[int, UUID] = {}
        self._numbers: list[int] = []
        self._sent: set[UUID] = set()

    def values(self) -> Iterator[Waiting]:
        """From the first to the last."""
        return (self._by_cid[self._cids[number]] for number in self._numbers)

    def get(self, cid: UUID) -> Waiting | None:
        """One of them; None when it does not wait."""
        return self._by_cid.get(cid)

    def in_row(self, key: int) -> Waiting | None:
        """What waits in a row; None for other rows."""
        cid = self._cids.get(-key)
        return None if cid is None else self._by_cid[cid]

    def beside(self, waiting: Waiting, step: int) -> Waiting | None:
        """What waits just above (-1) or below (1) one that waits or did so; None at the end."""
        number = waiting.message.number
        at = bisect_left(self._numbers, number)
        if step > 0 and number in self._cids:
            at += 1
        elif step < 0:
            at -= 1
        return self.in_row(-self._numbers[at]) if 0 <= at < len(self._numbers) else None

    def __setitem__(self, cid: UUID, waiting: Waiting) -> None:
        """One more, or one that is there already, as it is now."""
        number = waiting.message.number
        if number not in self._cids:
            insort(self._numbers, number)
        self._cids[number] = cid
        self._by_cid[cid] = waiting
        if waiting.seq is not None:
            self._sent.add(cid)

    def pop(self, cid: UUID) -> Waiting | None:
        """It waits no more; None when it did not wait."""
        waiting = self._by_cid.pop(cid, None)
        if waiting is not None:
            number = waiting.message.number
            del self._cids[number], self._numbers[bisect_left(self._numbers, number)]
            self._sent.discard(cid)
        return waiting

    def sent_before(self, stop: int) -> list[UUID]:
        """Those that the server has below a ``seq``."""
        return [cid for cid in self._sent if (self._by_cid[cid].seq or 0) < stop]
