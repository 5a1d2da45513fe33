"""Too fast, too slow, too quiet: every limit has its answer or its close code."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from server.platform import streams
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.streams import NewEvent
from server.platform.unit_of_work import transact
from server.realtime.flood import FloodGate
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from shared_models.base import format_time
from tests.realtime.conftest import PATIENCE_S, Connect, Dial, Person


async def test_sends_beyond_the_burst_are_refused_and_not_stored(
    join: Connect, context: Context, buyer: Person, room: str
) -> None:
    device = await join(buyer)
    context.rates.enabled = True
    for n in range(16):
        await device.say("send", id=str(n), cid=str(uuid4()), chatroom_id=room, text=str(n))
    answers: list[dict[str, Any]] = []
    while len(answers) < 16:
        frame = await device.hear()
        if frame["t"] in ("ok", "err"):
            answers.append(frame)
    refused = [answer for answer in answers if answer["t"] == "err"]
    assert [answer["t"] for answer in answers[:15]] == ["ok"] * 15
    for answer in refused:
        assert (answer["code"], answer["retryable"]) == ("rate_limited", True)
        assert 0 < answer["retry_ms"] <= 200
    stored = (await buyer.get(f"/v1/chatrooms/{room}")).json()["last_seq"]
    assert stored == 1 + 16 - len(refused)


class TestFrames:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(frames_burst=5, frames_per_s=0.001, flood_s=0)

    async def test_above_the_rate_for_too_long_close_the_connection(
        self, join: Connect, context: Context, buyer: Person
    ) -> None:
        context.rates.enabled = True
        device = await join(buyer)
        for _ in range(7):
            await device.say("nothing")
        assert await device.closed() == 4006


def test_the_gate_refuses_above_the_rate_and_gives_up_after_ten_seconds_of_it() -> None:
    now = 0.0
    gate = FloodGate(RealtimeSettings(), lambda: now, enabled=True)
    assert [gate.wait_s() for _ in range(40)] == [0.0] * 40
    assert gate.wait_s() == pytest.approx(0.05)
    now = 5.0
    assert gate.wait_s() == 0.0
    for step in range(1100):
        now = 6.0 + step / 100
        gate.wait_s()
        if gate.too_long:
            break
    assert 15.0 < now < 18.1


def test_a_pause_in_a_flood_starts_its_ten_seconds_anew() -> None:
    now = 0.0
    gate = FloodGate(RealtimeSettings(), lambda: now, enabled=True)
    for second in range(0, 60, 6):
        now = float(second)
        for _ in range(200):
            gate.wait_s()
        assert not gate.too_long


class TestAHeartbeat:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(ping_s=0.02, pong_s=0.2)

    async def test_that_is_answered_goes_on_and_names_the_head(
        self, join: Connect, context: Context, buyer: Person
    ) -> None:
        device = await join(buyer)
        for number in (1, 2, 3):
            ping = await device.until("ping")
            assert (ping["n"], ping["pos"]) == (number, device.welcome["pos"])
            await device.say("pong", n=number)

    async def test_that_is_answered_says_when_the_device_was_last_seen(
        self, join: Connect, clock: MovableClock, buyer: Person
    ) -> None:
        device = await join(buyer)
        clock.advance(timedelta(hours=1))
        for _ in range(2):
            await device.say("pong", n=(await device.until("ping"))["n"])
        [session] = (await buyer.get("/v1/sessions")).json()["items"]
        assert session["last_seen_at"] == format_time(clock.now())

    async def test_that_is_not_answered_closes(self, join: Connect, buyer: Person) -> None:
        device = await join(buyer)
        assert await device.closed() == 4002


class TestABusyLine:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(frames_burst=5, frames_per_s=0.001, ping_s=0.02)

    async def test_is_heard_to_be_alive_though_its_frames_are_refused(
        self, join: Connect, context: Context, buyer: Person
    ) -> None:
        context.rates.enabled = True
        device = await join(buyer)
        for _ in range(10):
            await device.say("nothing")
        while (await device.until("err"))["code"] != "rate_limited":
            pass
        for _ in range(3):
            await device.say("pong", n=(await device.until("ping"))["n"])
        await device.until("ping")


class TestASlowConsumer:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(
            queue_frames=32, queue_bytes=64 * 1024, batch_bytes=16 * 1024, room_s=1
        )

    async def test_is_closed_and_the_others_are_not(
        self, join: Connect, context: Context, buyer: Person
    ) -> None:
        slow = await join(buyer, max_queue=1)
        quick = await join(buyer)
        event = NewEvent("account.changed", b'{"x":"%s"}' % (b"x" * 60_000))
        for number in range(1, 201):
            await transact(context, None, lambda work: streams.append(work, {buyer.id: [event]}))
            while len(quick.events) < number:
                await quick.hear()
        assert await slow.closed() == 4001
        got = slow.positions
        assert 0 < len(got) < 200
        assert got == list(range(got[0], got[0] + len(got)))


async def test_the_server_stops_reading_at_sixteen_commands_in_flight(
    join: Connect, context: Context, buyer: Person, room: str, node: RealtimeNode
) -> None:
    device = await join(buyer)
    held = asyncio.Event()
    begun = 0
    commit = context.database.writer.begin

    def waiting() -> object:
        nonlocal begun
        begun += 1
        return Held(commit(), held)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(context.database.writer), "begin", lambda _self: waiting())
        for n in range(40):
            await device.say("send", id=str(n), cid=str(uuid4()), chatroom_id=room, text=str(n))
        for _ in range(200):
            await asyncio.sleep(0)
        assert begun == 1
        held.set()
        answers = [await device.until("ok") for _ in range(40)]
    assert [answer["id"] for answer in answers] == [str(n) for n in range(40)]


class Held:
    """A transaction that begins when it is let go."""

    def __init__(self, inner: object, go: asyncio.Event) -> None:
        self._inner = inner
        self._go = go

    async def __aenter__(self) -> object:
        await self._go.wait()
        return await self._inner.__aenter__()  # type: ignore[attr-defined]

    async def __aexit__(self, *error: object) -> object:
        return await self._inner.__aexit__(*error)  # type: ignore[attr-defined]


async def test_draining_says_bye_closes_everybody_and_lets_nobody_in(
    join: Connect, dial: Dial, node: RealtimeNode, buyer: Person, seller: Person
) -> None:
    devices = [await join(buyer), await join(seller), await join(seller)]
    await node.drain()
    waits = []
    for device in devices:
        bye = await device.until("bye")
        waits.append(bye["reconnect_in_ms"])
        assert await device.closed() == 4000
    assert all(0 <= wait <= 20_000 for wait in waits)
    assert len(set(waits)) > 1
    with pytest.raises(InvalidStatus) as refused:
        await dial(buyer)
    assert refused.value.response.status_code == 503


async def test_draining_also_ends_who_is_still_shaking_hands_and_waits_for_the_last(
    join: Connect, dial: Dial, node: RealtimeNode, buyer: Person, seller: Person
) -> None:
    silent, device = await dial(buyer), await join(seller)
    await node.drain()
    assert node.gateway.writers == set()
    assert list(node.hub.connections()) == []
    for one in (silent, device):
        await one.until("bye")
        assert await one.closed() == 4000


async def test_nothing_is_left_behind_when_devices_are_gone(
    join: Connect, node: RealtimeNode, buyer: Person, seller: Person, room: str
) -> None:
    before = asyncio.all_tasks()
    for _ in range(5):
        device = await join(buyer)
        await device.send(room)
        await device.socket.close()
    _, running = await asyncio.wait(asyncio.all_tasks() - before, timeout=PATIENCE_S)
    assert running == set()
    assert list(node.hub.connections()) == []
