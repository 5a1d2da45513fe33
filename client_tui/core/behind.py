"""What is known here and not on disk, because the disk has taken nothing for a while."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from client_tui.core.changes import Change
from shared_models.chat import Message
from shared_models.sync import Bootstrap

CHANGES_MAX: Final = 1_000
"""About as many as a server plays again before it asks for a bootstrap."""


@dataclass(slots=True)
class Behind:
    """Written with what comes next, as soon as the disk takes it.

    When it is too much it is given up: the copies stand still then until a bootstrap or a start.
    """

    state: Bootstrap | None = None
    epoch: str = ""
    changes: list[Change] = field(default_factory=list)
    given_up: bool = False
    is_told: bool = False
    _deleted: dict[tuple[UUID, int], Message] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether the disk has everything."""
        return self.state is None and not self.changes and not self.given_up

    def begin(self, state: Bootstrap) -> None:
        """A bootstrap takes the place of all before."""
        self.state, self.changes, self.given_up = state, [], False
        self._deleted.clear()

    def add(self, epoch: str, changes: Sequence[Change]) -> None:
        """Events came."""
        self.epoch = epoch
        if self.given_up:
            self._remember_deleted(changes)
        else:
            self.changes += changes

    def not_taken(self) -> None:
        """The disk refused it all again: what was deleted must not come back from a copy."""
        self._remember_deleted(self.changes)
        if len(self.changes) > CHANGES_MAX:
            self.state, self.changes, self.given_up = None, [], True

    def _remember_deleted(self, changes: Sequence[Change]) -> None:
        told = [one.data for one in changes if isinstance(one.data, Message)]
        self._deleted |= {(one.chatroom_id, one.seq): one for one in told if one.deleted}

    def written(self, state: Bootstrap | None, changes: Sequence[Change]) -> None:
        """The disk took these; others may have come meanwhile."""
        if self.state is state:
            self.state = None
            last = changes[-1].pos if changes else 0
            self.changes = [one for one in self.changes if one.pos > last]
        if self.is_empty:
            self.is_told = False
            self._deleted.clear()

    def newest(self, copy: Message) -> Message:
        """A copy, or the tombstone that is not on disk yet."""
        return self._deleted.get((copy.chatroom_id, copy.seq), copy)
