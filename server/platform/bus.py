"""The port that carries hints between nodes. The database is the log; a lost hint is filled in."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol
from uuid import UUID


class Hint(NamedTuple):
    """Something for the devices of one stream: a durable event (``pos`` > 0) or, with ``pos`` 0,
    something ephemeral. ``data`` is the encoded frame.
    """

    stream_id: UUID
    pos: int
    data: bytes


class BusError(Exception):
    """The bus cannot be reached."""


Receive = Callable[[Hint], None]


class Bus(Protocol):
    """Publishes hints and hands them to this process's receiver.

    ``join`` and ``leave`` take effect in the order of their calls, whatever they wait for then.
    """

    def listen(self, receive: Receive) -> None:
        """Set who gets the hints of the joined streams; called once, at start."""
        ...

    def on_gap(self, tell: Callable[[], None]) -> None:
        """Set who is told when hints may have been missed, to look into the database at once."""
        ...

    def on_ring(self, tell: Callable[[], None]) -> None:
        """Set who is told when another process has left jobs; called once, at start."""
        ...

    def ring(self) -> None:
        """Tell workers elsewhere that there are jobs. Called after commit only; may be lost."""
        ...

    async def join(self, stream_id: UUID) -> None:
        """From now on, hints of this stream arrive here."""
        ...

    async def leave(self, stream_id: UUID) -> None:
        """No more hints of this stream."""
        ...

    async def publish(self, hints: Iterable[Hint]) -> None:
        """Tell every node. Called after commit only; may lose, repeat or reorder."""
        ...

    async def check(self) -> None:
        """Raise :class:`BusError` when nothing can be told to other nodes now."""
        ...

    async def close(self) -> None:
        """Stop."""
        ...


class LocalBus:
    """The bus of a single process: hints go straight to its own receiver."""

    def __init__(self) -> None:
        self._receive: Receive | None = None
        self._joined: set[UUID] = set()

    def listen(self, receive: Receive) -> None:
        """Set who gets the hints."""
        self._receive = receive

    def on_gap(self, tell: Callable[[], None]) -> None:
        """Nothing is missed in one process."""

    def on_ring(self, tell: Callable[[], None]) -> None:
        """There is no other process that could leave jobs."""

    def ring(self) -> None:
        """There are no workers elsewhere."""

    async def join(self, stream_id: UUID) -> None:
        """Hints of this stream are wanted."""
        self._joined.add(stream_id)

    async def leave(self, stream_id: UUID) -> None:
        """Hints of this stream are no longer wanted."""
        self._joined.discard(stream_id)

    async def publish(self, hints: Iterable[Hint]) -> None:
        """Hand each wanted hint over at once."""
        if self._receive is None:
            return
        for hint in hints:
            if hint.stream_id in self._joined:
                self._receive(hint)

    async def check(self) -> None:
        """There are no other nodes."""

    async def close(self) -> None:
        """Nothing to stop."""
