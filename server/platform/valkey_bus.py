"""The bus between processes: one Valkey or Redis channel a stream, over one instance or several.

Two more channels carry no hints: on one workers hear of jobs, on the other whoever listens hears
that hints were dropped and that the database is to be looked into.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from server.platform.bus import BusError, Hint, Receive
from server.platform.valkey_instance import FAILURES, Instance

_CHANNEL = b"picky:"
_BELL = b"picky:bell"
_POS_BYTES = 8
_RINGS_EVERY_S = 0.1
_BESIDE_S = 0.1
"""How much slower than another one an instance may answer: who is cut off amid a question loses its
connection over it.
"""


class ValkeyBus:
    """A bus over the instances at these URLs; each stream has its place on one of them."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._receive: Receive = lambda _hint: None
        self._joined: set[UUID] = set()
        self._rung: Callable[[], None] = lambda: None
        self._instances = [Instance(url, self._heard) for url in urls]

    def listen(self, receive: Receive) -> None:
        """Set who gets the hints."""
        self._receive = receive

    def on_gap(self, tell: Callable[[], None]) -> None:
        """Set who is told when an instance is back, or somebody had more to tell than it took: what
        it did not bring is lost.
        """
        for instance in self._instances:
            instance.tell_of_gaps(tell)

    def on_ring(self, tell: Callable[[], None]) -> None:
        """Set who is told of jobs, by whichever instance brings it."""
        self._rung = tell
        for instance in self._instances:
            instance.want(_BELL)

    def ring(self) -> None:
        """Tell of jobs over every instance: once for all that are left within a moment."""
        for instance in self._instances:
            instance.signal(_BELL, every_s=_RINGS_EVERY_S)

    async def join(self, stream_id: UUID) -> None:
        """Returns when hints arrive, or after a second; at once when the bus is known to be away.

        What is missed until then is in the database, and whoever listens is told to look there.
        """
        self._joined.add(stream_id)
        await self._place(stream_id).subscribe(_channel(stream_id))

    async def leave(self, stream_id: UUID) -> None:
        """No more hints of this stream."""
        self._joined.discard(stream_id)
        self._place(stream_id).unsubscribe(_channel(stream_id))

    async def publish(self, hints: Iterable[Hint]) -> None:
        """Tell this process at once and the others soon."""
        for hint in hints:
            if hint.pos != 0 and hint.stream_id in self._joined:
                # It comes back over the bus, and what is old by then is dropped.
                self._receive(hint)
            self._place(hint.stream_id).put(_channel(hint.stream_id), _encode(hint))

    async def check(self) -> None:
        """Raise :class:`BusError` when no instance answers and is listened to.

        What one that is away would have told is found in the database: no reason to send people
        elsewhere, where it is away too.
        """
        checks = [asyncio.create_task(_fault(instance)) for instance in self._instances]
        try:
            for check in asyncio.as_completed(checks):
                error = await check
                if error is None:
                    await asyncio.wait(checks, timeout=_BESIDE_S)
                    return
        finally:
            for task in checks:
                task.cancel()
        raise BusError(f"the bus cannot be used: {str(error) or type(error).__name__}")

    async def close(self) -> None:
        """Stop sending and listening."""
        for instance in self._instances:
            await instance.close()

    def place(self, stream_id: UUID) -> str:
        """The address of the instance that carries a stream, without what signs in there."""
        return self._place(stream_id).address

    def _place(self, stream_id: UUID) -> Instance:
        """Rendezvous hashing: one instance more or less moves only its own streams."""
        if len(self._instances) == 1:
            return self._instances[0]
        return max(self._instances, key=lambda one: one.weight(stream_id.bytes))

    def _heard(self, channel: bytes, payload: bytes) -> None:
        if channel == _BELL:
            self._rung()
            return
        stream_id = UUID(hex=channel[len(_CHANNEL) :].decode())
        if stream_id in self._joined:
            self._receive(_decode(stream_id, payload))


async def _fault(instance: Instance) -> Exception | None:
    """What is wrong with it, None where nothing is."""
    try:
        await instance.check()
    except (BusError, *FAILURES) as error:
        return error
    return None


def _channel(stream_id: UUID) -> bytes:
    return _CHANNEL + stream_id.hex.encode()


def _encode(hint: Hint) -> bytes:
    return hint.pos.to_bytes(_POS_BYTES, signed=True) + hint.data


def _decode(stream_id: UUID, payload: bytes) -> Hint:
    if len(payload) <= _POS_BYTES:
        raise ValueError("this is no hint")
    pos = int.from_bytes(payload[:_POS_BYTES], signed=True)
    return Hint(stream_id, pos, payload[_POS_BYTES:])
