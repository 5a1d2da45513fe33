"""What one device was told of its rooms, judged as it comes: each message once and in its turn."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from shared_models.chat import Message
from shared_models.sync import Bootstrap


@dataclass
class Sight:
    """Events rise by one in each room; only a bootstrap may jump, as far as it tells itself."""

    last: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    """The newest message that came as an event."""
    told: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    """The newest message that a bootstrap knew of."""
    doubled: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    bootstraps: int = 0
    deliveries: list[tuple[float, float]] = field(default_factory=list)
    """When a message was made, and when it came as an event."""
    _seen: set[tuple[UUID, int]] = field(default_factory=set)

    def begin_anew(self, state: Bootstrap) -> None:
        """A bootstrap: what is older than it does not come as an event any more."""
        self.bootstraps += 1
        for room in state.chatrooms:
            self.told[room.id] = max(self.told[room.id], room.last_seq)

    def see(self, message: Message) -> None:
        """An event brought a message."""
        self.deliveries.append((message.created_at.timestamp(), time.time()))
        room_id, seq = message.chatroom_id, message.seq
        last = self.last[room_id]
        if (room_id, seq) in self._seen:
            self.doubled.append(f"seq {seq} of {room_id} came twice")
        elif seq <= last:
            self.reordered.append(f"seq {seq} of {room_id} came after {last}")
        elif seq > max(last, self.told[room_id]) + 1:
            self.missed.append(f"seq {seq} of {room_id} came after {last}, without what is between")
        self._seen.add((room_id, seq))
        self.last[room_id] = max(last, seq)

    def knows(self, room_id: UUID, seq: int) -> bool:
        """Whether everything up to there was told in one way or another."""
        return max(self.last[room_id], self.told[room_id]) >= seq
