"""Too fast, too slow, too quiet: every limit has its answer or its close code."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus

from server.app.settings import Settings
from server.platform import streams
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.streams import NewEvent
from server.platform.unit_of_work import transact
from server.realtime.flood import FloodGate
from server.realtime.gateway import Gateway
from server.realtime.node import RealtimeNode
from server.realtime.session import Session
from server.realtime.settings import RealtimeSettings
from shared_models.base import format_time
from shared_models.market import Rules
from tests.realtime.conftest import PATIENCE_S, Connect, Device, Dial, Person, comes_true
from tests.server.chat.conftest import say


async def test_sends_beyond_the_burst_are_refused_and_not_stored(
    join: Connect,
    context: Context,
    buyer: Person,
    room: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = await join(buyer)
    context.rates.enabled = True
    monkeypatch.setattr(context.rates, "_monotonic", lambda: 0.0)
    for n in range(16):
        await device.say("send", id=str(n), cid=str(uuid4()), chatroom_id=room, text=str(n))
    answers: list[dict[str, Any]] = []
    while len(answers) < 16:
        frame = await device.hear()
        if frame["t"] in ("ok", "err"):
            answers.append(frame)
    *sent, refused = answers
    assert [answer["t"] for answer in sent] == ["ok"] * 15
    assert (refused["id"], refused["code"], refused["retryable"]) == ("15", "rate_limited", True)
    assert refused["retry_ms"] == 200
    stored = (await buyer.get(f"/v1/chatrooms/{room}")).json()["last_seq"]
    assert stored == 1 + 15


class TestLimitsThatAreSet:
    @pytest.fixture
    def settings(self, settings: Settings, database_url: str) -> Settings:
        limits = Rules(sends_burst=2, connections_max=1, frames_per_s=7)
        return settings.model_copy(update={"limits": limits})

    @pytest.fixture
    def node(self, app: FastAPI, context: Context) -> RealtimeNode:
        """The one that the application made."""
        return context.wiring.port(RealtimeNode)

    async def test_are_told_and_kept(
        self,
        join: Connect,
        context: Context,
        buyer: Person,
        room: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        first, second = await join(buyer), await join(buyer)
        assert await first.closed() == 4503
        told = second.welcome["limits"]
        assert (told["sends_burst"], told["sends_sustained_per_s"]) == (2, 2)
        assert (told["connections_per_account"], told["frames_per_s"]) == (1, 7)
        context.rates.enabled = True
        monkeypatch.setattr(context.rates, "_monotonic", lambda: 0.0)
        await say_many(second, room, range(3))
        assert [(await answer(second))["t"] for _ in range(3)] == ["ok", "ok", "err"]


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
        return RealtimeSettings(ping_s=0.02)

    async def test_that_is_answered_goes_on_and_names_the_head(
        self, join: Connect, buyer: Person, room: str
    ) -> None:
        device = await join(buyer)
        heads = []
        for number in (1, 2, 3):
            ping = await device.until("ping")
            assert ping["n"] == number
            heads.append((ping["pos"], [device.welcome["pos"], *device.positions][-1]))
            await say(buyer, room)
            await device.say("pong", n=number)
        assert [head for head, _ in heads] == [got for _, got in heads]
        assert heads[0] < heads[1] < heads[2]

    async def test_that_is_answered_says_when_the_device_was_last_seen(
        self, join: Connect, clock: MovableClock, buyer: Person
    ) -> None:
        device = await join(buyer)
        clock.advance(timedelta(hours=1))
        for _ in range(2):
            await device.say("pong", n=(await device.until("ping"))["n"])
        [session] = (await buyer.get("/v1/sessions")).json()["items"]
        assert session["last_seen_at"] == format_time(clock.now())


@pytest.mark.parametrize("mistaken", ["_handshake", "_gate"])
async def test_whom_a_mistake_of_ours_cuts_off_is_told_to_come_back(
    dial: Dial, buyer: Person, monkeypatch: pytest.MonkeyPatch, mistaken: str
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("what nobody thought of")

    monkeypatch.setattr(Gateway, mistaken, fail)
    device = await dial(buyer)
    await device.say("hello", device="", client="")
    assert await device.closed() == 4003


class TestASilentPeer:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(ping_s=0.02, pong_s=0.3, in_flight=2)

    async def test_is_closed(self, join: Connect, buyer: Person) -> None:
        device = await join(buyer)
        assert await device.closed() == 4002

    @pytest.mark.parametrize("when", ["while they are stalled", "just after"])
    async def test_is_not_taken_for_one_whose_pong_waits_behind_its_commands(
        self, join: Connect, context: Context, buyer: Person, room: str, when: str
    ) -> None:
        said, waits_again = asyncio.Event(), asyncio.Event()
        heard: list[dict[str, Any]] = []

        async def hear(t: str, times: int) -> None:
            while [frame["t"] for frame in heard].count(t) < times:
                heard.append(await device.hear())

        async def catching_up() -> None:
            held.set()
            await hear("ok", 3)

        async def waiting(session: Session, pong: asyncio.Event) -> bool:
            """The first time is over while the pong is behind the commands."""
            if said.is_set():
                waits_again.set()
                return await pong.wait()
            await said.wait()
            await comes_true(lambda: session._stalled)
            in_time = pong.is_set()
            if when == "just after":
                await catching_up()
            return in_time

        with holding(context) as held, pytest.MonkeyPatch.context() as patch:
            patch.setattr(Session, "_answered", waiting)
            device = await join(buyer)
            await say_many(device, room, range(3))
            await device.say("pong", n=(await device.until("ping"))["n"])
            said.set()
            await asyncio.wait_for(waits_again.wait(), PATIENCE_S)
            if not heard:
                await catching_up()
            await hear("ping", 1)
        assert [frame["id"] for frame in heard if frame["t"] == "ok"] == ["0", "1", "2"]


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
        refused, pings = set(), 0
        while "rate_limited" not in refused or pings <= 3:
            match await device.hear():
                case {"t": "err", "code": code}:
                    refused.add(code)
                case {"t": "ping", "n": n}:
                    pings += 1
                    await device.say("pong", n=n)


class TestASlowConsumer:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(
            queue_frames=32, queue_bytes=64 * 1024, batch_bytes=16 * 1024, room_s=0.1
        )

    async def test_is_closed_and_the_others_are_not(
        self,
        join: Connect,
        context: Context,
        buyer: Person,
        narrow: dict[str, Any],
        given_up: asyncio.Event,
    ) -> None:
        slow = await join(buyer, **narrow)
        quick = await join(buyer)
        event = NewEvent("account.changed", b'{"x":"%s"}' % (b"x" * 60_000))
        for number in range(1, 201):
            await transact(context, None, lambda work: streams.append(work, {buyer.id: [event]}))
            while len(quick.events) < number:
                await quick.hear()
        await asyncio.wait_for(given_up.wait(), PATIENCE_S)
        assert await slow.closed() == 4001
        got = slow.positions
        assert 0 < len(got) < 200
        assert got == list(range(got[0], got[0] + len(got)))


async def say_many(device: Device, room: str, numbers: range) -> None:
    """Send messages without waiting for an answer."""
    for n in numbers:
        await device.say("send", id=str(n), cid=str(uuid4()), chatroom_id=room, text=str(n))


async def answer(device: Device) -> dict[str, Any]:
    """The next ``ok`` or ``err``."""
    while (frame := await device.hear())["t"] not in ("ok", "err"):
        pass
    return frame


@contextmanager
def holding(context: Context) -> Iterator[asyncio.Event]:
    """No transaction begins until the event is set."""
    go, begin = asyncio.Event(), context.database.writer.begin
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(context.database.writer), "begin", lambda _self: Held(begin(), go))
        yield go


async def test_the_server_stops_reading_at_sixteen_commands_in_flight(
    join: Connect, context: Context, buyer: Person, room: str
) -> None:
    device, other = await join(buyer), await join(buyer)
    with holding(context) as held:
        await say_many(device, room, range(16))
        await device.say("nothing")
        assert (await answer(device))["code"] == "bad_frame"
        await say_many(device, room, range(16, 17))
        await device.say("nothing")
        for _ in range(3):
            # Whatever the server would still read has been read by the time these are answered.
            await other.say("nothing")
            await answer(other)
        held.set()
        answers = [await answer(device) for _ in range(18)]
    assert answers[0]["t"] == "ok"
    sent = [one["id"] for one in answers if one["t"] == "ok"]
    assert sent == [str(n) for n in range(17)]


class Held:
    """A transaction that begins when it is let go."""

    def __init__(self, inner: Any, go: asyncio.Event) -> None:
        self._inner = inner
        self._go = go

    async def __aenter__(self) -> Any:
        await self._go.wait()
        return await self._inner.__aenter__()

    async def __aexit__(self, *error: object) -> Any:
        return await self._inner.__aexit__(*error)


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
    async with asyncio.timeout(PATIENCE_S):
        await comes_true(lambda: asyncio.all_tasks() <= before)
    assert list(node.hub.connections()) == []


async def test_a_silent_socket_has_two_tasks_one_that_reads_and_one_that_writes(
    join: Connect, buyer: Person, room: str
) -> None:
    before = asyncio.all_tasks()
    device = await join(buyer)
    await device.send(room)
    await device.say("nothing")
    await device.until("err")
    names = sorted(task.get_name().rstrip("0123456789") for task in asyncio.all_tasks() - before)
    assert names == ["Task-", "reader"]
