"""A device that is slower than its events, for a moment or for good."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.platform import streams
from server.platform.bus import Hint
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork
from server.realtime.hub import Stream
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from server.realtime.writer import Writer
from shared_models.realtime import CloseCode
from tests.realtime.conftest import PATIENCE_S, Connect, Device, Person, TakesAll
from tests.realtime.filling import add_events, add_unheard, place


async def has_all(device: Device, count: int) -> None:
    """The device gets so many events, each step exactly one (R1)."""
    first = device.welcome["pos"] + 1
    while len(device.events) < count:
        await device.hear()
    assert device.positions == list(range(first, first + count))


class TestASmallQueue:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(queue_frames=16)

    async def test_is_not_overrun_by_one_large_transaction(
        self, join: Connect, context: Context, buyer: Person
    ) -> None:
        device, other = await join(buyer), await join(buyer)
        for _ in range(3):
            await add_events(context, buyer.id, 300)
        for one in (device, other):
            await has_all(one, 900)
        await add_events(context, buyer.id, 1)
        assert (await device.until("event"))["pos"] == device.welcome["pos"] + 901


class TestAStalledPeer:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(queue_bytes=64 * 1024, batch_bytes=16 * 1024, room_s=0.1)

    async def test_is_closed_while_it_catches_up(
        self,
        join: Connect,
        context: Context,
        buyer: Person,
        narrow: dict[str, Any],
        given_up: asyncio.Event,
    ) -> None:
        here = await place(context, buyer.id)
        await add_events(context, buyer.id, 250, size=60_000)
        device = await join(buyer, here, **narrow)
        await asyncio.wait_for(given_up.wait(), PATIENCE_S)
        assert await device.closed() == 4001
        assert len(device.events) < 250


class Stalled:
    """A socket that takes nothing."""

    async def send(self, frames: Sequence[bytes]) -> None:
        await asyncio.Event().wait()

    async def close(self, code: int, reason: str | None = None) -> None:
        await asyncio.Event().wait()


async def test_at_half_a_queue_takes_no_more_ephemeral_frames_and_full_it_closes() -> None:
    writer = Writer(Stalled(), RealtimeSettings(queue_frames=4))
    frame = b"x"
    writer.put(frame)
    for _ in range(10):
        writer.put_ephemeral(frame)
    assert (writer.half_full, writer.closing) == (True, False)
    writer.put(frame)
    assert not writer.closing
    writer.put(frame)
    assert writer.closing


async def test_at_half_of_its_bytes_a_queue_is_half_full_too() -> None:
    writer = Writer(Stalled(), RealtimeSettings(queue_bytes=100))
    writer.put(b"x" * 49)
    assert not writer.half_full
    writer.put(b"x")
    assert writer.half_full


@pytest.mark.parametrize(
    ("sizes", "writes"),
    [([1] * 40, [16, 16, 8]), ([30_000] * 7, [3, 3, 1]), ([200_000, 1, 1], [1, 2])],
    ids=["many", "long", "one that is longer"],
)
async def test_what_waits_is_written_at_once_but_not_too_much(
    sizes: list[int], writes: list[int]
) -> None:
    socket = TakesAll()
    writer = Writer(socket, RealtimeSettings())
    frames = [b"%d" % number + b"x" * size for number, size in enumerate(sizes)]
    for frame in frames:
        writer.put(frame)
    writer.close(CloseCode.DRAINING, "enough")
    await writer.run()
    assert [len(write) for write in socket.writes] == writes
    assert [frame for write in socket.writes for frame in write] == frames
    assert writer.queued == (0, 0)


def test_what_waits_for_the_first_device_does_not_grow_without_bound() -> None:
    stream = Stream(uuid4(), keep_most=4)
    for pos in range(1, 101):
        stream.take(pos, b"x")
    stream.settle(0)
    assert (stream.last, stream.head, stream.has_gap) == (0, 100, True)


async def test_a_hint_that_comes_while_a_gap_is_filled_and_leaves_another_is_followed_up(
    join: Connect,
    context: Context,
    node: RealtimeNode,
    buyer: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = await join(buyer)
    lost = await add_unheard(context, buyer.id, 2)
    read_after, reads = streams.read_after, 0

    async def slowly(work: UnitOfWork, stream_id: UUID, pos: int, limit: int) -> list[Hint]:
        nonlocal reads
        reads += 1
        found = await read_after(work, stream_id, pos, limit)
        if reads == 1:
            await add_events(context, buyer.id, 2)
            node.hub.receive(lost[-1])
        return found

    monkeypatch.setattr(streams, "read_after", slowly)
    node.hub.receive(lost[-1])
    await has_all(device, 4)


class TestAHeartbeat:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(ping_s=0.05)

    async def test_names_the_head_also_to_a_client_that_is_behind(
        self,
        join: Connect,
        context: Context,
        node: RealtimeNode,
        buyer: Person,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        device = await join(buyer)
        lost = await add_unheard(context, buyer.id, 2)
        may_read, read_after = asyncio.Event(), streams.read_after

        async def held(*wanted: Any) -> list[Hint]:
            await may_read.wait()
            return await read_after(*wanted)

        monkeypatch.setattr(streams, "read_after", held)
        node.hub.receive(lost[-1])
        assert (await self.next_ping(device))["pos"] == device.welcome["pos"] + 2
        assert device.events == []
        may_read.set()
        await has_all(device, 2)

    async def next_ping(self, device: Device) -> dict[str, Any]:
        """The ping after the one that may be on its way."""
        for _ in range(2):
            ping = await device.until("ping")
            await device.say("pong", n=ping["n"])
        return ping
