"""One connected device: where it stands in its account's stream, and which rooms it looks at."""

from collections.abc import Callable
from uuid import UUID

from server.platform.context import Actor
from server.realtime.metrics import DELIVERIES
from server.realtime.settings import RealtimeSettings
from server.realtime.writer import Writer
from shared_models.realtime import CloseCode


class Connection:
    """Holds events back until it is live; then each step must be exactly one (R1).

    A device that reads more slowly than events come, be it for the moment of one large
    transaction, falls behind: it is not live until it has caught up from the database.
    """

    def __init__(self, id_: UUID, actor: Actor, writer: Writer, settings: RealtimeSettings) -> None:
        self.id = id_
        self.actor = actor
        self.writer = writer
        self.looking_at: set[UUID] = set()
        self.reached = 0
        """The last position that was queued for the device."""
        self._live = False
        self._on_behind: Callable[[], object] | None = None
        self._held: list[tuple[int, bytes]] = []
        self._held_most = settings.queue_frames // 2

    @property
    def account_id(self) -> UUID:
        """Whose device it is."""
        return self.actor.account_id

    @property
    def live(self) -> bool:
        """Whether it has caught up with its stream."""
        return self._live

    def deliver(self, pos: int, frame: bytes) -> None:
        """Take the event at ``pos``: hold it, queue it, or drop it when it was queued before."""
        if self._live and pos == self.reached + 1:
            if not self.writer.half_full:
                self._queue(pos, frame)
                return
            self._live = False
            if self._on_behind is not None:
                self._on_behind()
        if not self._live:
            # The oldest ones fall out of a full buffer; catching up then reads them again.
            self._held.append((pos, frame))
            del self._held[: -self._held_most]
        elif pos > self.reached:
            self.close(CloseCode.POSITION_LOST, "position lost")

    def take_held(self) -> None:
        """Queue the held events that follow while there is room, and forget the rest."""
        for pos, frame in self._held:
            if pos == self.reached + 1 and not self.writer.half_full:
                self._queue(pos, frame)
        self._held.clear()

    def _queue(self, pos: int, frame: bytes) -> None:
        self.reached = pos
        self.writer.put(frame)
        DELIVERIES.inc()

    def go_live(self) -> None:
        """From now on events are queued as they come."""
        self._live = True

    def follow(self, on_behind: Callable[[], object] | None) -> None:
        """Call this whenever it has fallen behind and must catch up."""
        self._on_behind = on_behind

    def close(self, code: CloseCode, reason: str) -> None:
        """Close after what is queued."""
        self.writer.close(code, reason)
