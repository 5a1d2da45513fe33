import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest

from client_tui.core.cache import Cache
from client_tui.core.changes import Change, Position
from client_tui.core.errors import Disconnected, Invalid, ServerUnreachable
from client_tui.core.session import Session
from client_tui.core.status import LineState
from shared_models.realtime import Err, Ok
from shared_models.sync import Bootstrap
from tests.client.core.fakes import (
    EPOCH,
    ME,
    ROOM,
    FakeClock,
    FakeServer,
    Peer,
    Recorder,
    bootstrap,
    event,
    fake_server,
    new_message,
    room,
    welcome,
)


class World:
    """A session with everything around it that a test leads."""

    def __init__(self, server: FakeServer, cache: Cache) -> None:
        self.server = server
        self.cache = cache
        self.clock = FakeClock()
        self.heard = Recorder()
        self.bootstraps: list[Bootstrap | Exception] = []
        self.session = Session(
            server.url,
            "token",
            journal=cache,
            bootstrap=self._bootstrap,
            listener=self.heard,
            device="test",
            clock=self.clock,
            chance=lambda: 1.0,
        )

    async def _bootstrap(self) -> Bootstrap:
        state = self.bootstraps.pop(0)
        if isinstance(state, Exception):
            raise state
        return state

    async def greeted(self, *, pos: int, resumed: bool = True) -> Peer:
        """A connection that is live."""
        peer = await self.server.peer()
        await peer.receive()
        await peer.send(welcome(pos, resumed=resumed))
        await self.heard.until_state(LineState.ONLINE)
        return peer

    async def past(self, pos: int) -> None:
        """Have been here before, up to ``pos``."""
        await self.cache.rebase(bootstrap(pos, [room()]))


@asynccontextmanager
async def running(world: World) -> AsyncIterator[None]:
    task = asyncio.create_task(world.session.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    cache = await Cache(tmp_path / "cache.db", ME).open()
    async with fake_server() as server:
        yield World(server, cache)
    await cache.close()


async def test_the_first_hello_names_no_position_and_the_state_comes_from_a_bootstrap(
    world: World,
) -> None:
    world.bootstraps = [bootstrap(7, [room()])]
    async with running(world):
        peer = await world.server.peer()
        hello = await peer.receive()
        await peer.send(welcome(7, resumed=False))
        await world.heard.until_state(LineState.ONLINE)
        await peer.send(event(8))
        await world.heard.until_applied(8)
    assert hello["t"] == "hello"
    assert "pos" not in hello
    assert peer.socket.request is not None
    assert peer.socket.request.headers["Authorization"] == "Bearer token"
    assert [state.pos for state in world.heard.states] == [7]
    assert await world.cache.position() == Position(str(EPOCH), 8)


async def test_a_resume_names_the_position_and_applies_batches_in_order(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.server.peer()
        hello = await peer.receive()
        await peer.send(
            welcome(6, resumed=True),
            {"t": "batch", "events": [event(4), event(5)], "more": True},
            {"t": "batch", "events": [event(6)], "more": False},
            event(7),
        )
        await world.heard.until_applied(7)
    assert (hello["epoch"], hello["pos"]) == (str(EPOCH), 3)
    assert [change.pos for change in world.heard.changes] == [4, 5, 6, 7]
    assert [kept.seq for kept in await world.cache.messages(ROOM)] == [4, 5, 6, 7]


async def test_an_event_seen_twice_is_applied_once(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send(event(3), event(4), event(4), event(5))
        await world.heard.until_applied(5)
    assert [change.pos for change in world.heard.changes] == [4, 5]


async def test_a_lost_event_makes_it_resume_from_the_last_applied_one(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send(event(4))
        await world.heard.until_applied(4)
        await peer.send(event(6))
        await peer.gone()
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.server.peer()
        hello = await again.receive()
    assert hello["pos"] == 4
    assert [change.pos for change in world.heard.changes] == [4]


async def test_a_reset_takes_a_bootstrap_and_drops_events_up_to_its_position(
    world: World,
) -> None:
    await world.past(3)
    world.bootstraps = [bootstrap(102, [room()])]
    async with running(world):
        peer = await world.server.peer()
        await peer.receive()
        await peer.send(
            {"t": "reset", "reason": "too_far"},
            welcome(100, resumed=False),
            *(event(pos) for pos in (101, 102, 103)),
        )
        await world.heard.until_applied(103)
    assert [change.pos for change in world.heard.changes] == [103]
    assert await world.cache.position() == Position(str(EPOCH), 103)
    assert [kept.seq for kept in await world.cache.messages(ROOM)] == [103]


async def test_a_bootstrap_that_fails_is_tried_again_with_a_new_connection(world: World) -> None:
    world.bootstraps = [ServerUnreachable(world.server.url, "gone"), bootstrap(0)]
    async with running(world):
        peer = await world.server.peer()
        await peer.receive()
        await peer.send(welcome(0, resumed=False))
        await peer.gone()
        await world.heard.until_state(LineState.OFFLINE)
        await world.clock.advance(0.5)
        await world.greeted(pos=0, resumed=False)
    assert await world.cache.position() == Position(str(EPOCH), 0)


async def test_what_cannot_be_read_is_made_good_by_a_bootstrap(world: World) -> None:
    await world.past(3)
    world.bootstraps = [bootstrap(4)]
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send({"t": "event", "pos": 4, "kind": "message.new", "data": {"seq": "?"}})
        await peer.gone()
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.server.peer()
        assert "pos" not in await again.receive()
        await again.send(welcome(4, resumed=False))
        await world.heard.until_state(LineState.ONLINE)


async def test_kinds_of_events_from_the_future_are_counted_and_frames_ignored(
    world: World,
) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send(
            {"t": "confetti", "n": 1},
            {"t": "event", "pos": 4, "kind": "auction.started", "data": {}},
            event(5),
        )
        await world.heard.until_applied(5)
    assert world.heard.changes[0].data is None


async def test_pings_are_answered(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send({"t": "ping", "n": 9, "pos": 3})
        assert await peer.receive() == {"t": "pong", "n": 9}


async def test_forty_silent_seconds_mean_reconnect(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await world.clock.advance(39)
        assert world.session.status.state is LineState.ONLINE
        await world.clock.advance(2)
        await peer.gone()
        status = await world.heard.until_state(LineState.RECONNECTING)
    assert status.reason == "the server has gone silent"


async def test_a_head_that_stays_ahead_for_five_seconds_means_reconnect(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send({"t": "ping", "n": 1, "pos": 4})
        await peer.receive()
        await world.clock.advance(4)
        await peer.send(event(4))
        await world.heard.until_applied(4)
        await world.clock.advance(6)
        assert world.session.status.state is LineState.ONLINE
        await peer.send({"t": "ping", "n": 2, "pos": 9})
        await peer.receive()
        await world.clock.advance(7)
        await peer.gone()


async def test_tries_wait_twice_as_long_each_time_up_to_half_a_minute(world: World) -> None:
    waits = []
    async with running(world):
        for _ in range(9):
            peer = await world.server.peer()
            await peer.close(1011)
            await world.heard.until_state(LineState.OFFLINE)
            retry_at = world.session.status.retry_at
            assert retry_at is not None
            waits.append(retry_at - world.clock.monotonic())
            world.heard.statuses.clear()
            await world.clock.advance(waits[-1])
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_a_minute_of_quiet_makes_the_waits_short_again(world: World) -> None:
    await world.past(3)
    async with running(world):
        for _ in range(3):
            await (await world.server.peer()).close(1011)
            await world.heard.until_state(LineState.OFFLINE)
            world.heard.statuses.clear()
            await world.clock.advance(4)
        peer = await world.greeted(pos=3)
        await world.clock.advance(30)
        await peer.send({"t": "ping", "n": 1, "pos": 3})
        await peer.receive()
        await world.clock.advance(31)
        await peer.close(1011)
        status = await world.heard.until_state(LineState.RECONNECTING)
    assert status.retry_at == pytest.approx(world.clock.monotonic() + 0.5)


async def test_a_draining_server_says_when_to_come_back(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send({"t": "bye", "reconnect_in_ms": 12_500, "reason": "draining"})
        await peer.close(4000)
        status = await world.heard.until_state(LineState.RECONNECTING)
        assert status.retry_at == pytest.approx(12.5)
        await world.clock.advance(12.5)
        await world.greeted(pos=3)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (4500, LineState.SIGNED_OUT),
        (4501, LineState.OFFLINE),
        (4502, LineState.OFFLINE),
        (4503, LineState.OFFLINE),
        (4504, LineState.OFFLINE),
        (4999, LineState.OFFLINE),
    ],
)
async def test_codes_from_4500_are_final(world: World, code: int, state: LineState) -> None:
    running = asyncio.create_task(world.session.run())
    await (await world.server.peer()).close(code)
    await asyncio.wait_for(running, 10)
    assert world.session.status.state is state
    assert world.session.status.retry_at is None


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1012, 4000, 4001, 4002, 4003, 4006, 4499])
async def test_all_other_codes_are_tried_again(world: World, code: int) -> None:
    async with running(world):
        peer = await world.server.peer()
        if code == 1006:
            peer.socket.transport.abort()
        else:
            await peer.close(code)
        status = await world.heard.until_state(LineState.OFFLINE)
    assert status.retry_at is not None


async def test_a_line_that_was_closed_is_offline_until_it_is_welcomed_again(world: World) -> None:
    await world.past(3)
    async with running(world):
        await world.greeted(pos=3)
    world.heard.statuses.clear()
    async with running(world):
        peer = await world.server.peer()
        assert (await peer.receive())["t"] == "hello"
        with pytest.raises(Disconnected):
            await world.session.send(ROOM, uuid4(), "too early")
        await peer.send(welcome(3, resumed=True))
        await world.heard.until_state(LineState.ONLINE)


async def test_a_person_need_not_wait_for_the_next_try(world: World) -> None:
    async with running(world):
        await (await world.server.peer()).close(1011)
        await world.heard.until_state(LineState.OFFLINE)
        world.session.retry_now()
        await world.server.peer()


async def test_an_answer_finds_the_message_it_belongs_to(world: World) -> None:
    await world.past(0)
    first, second = uuid4(), uuid4()
    async with running(world):
        peer = await world.greeted(pos=0)
        sends = [
            asyncio.create_task(world.session.send(ROOM, cid, "hello")) for cid in (first, second)
        ]
        frames = [await peer.receive(), await peer.receive()]
        await peer.send(
            {
                "t": "err",
                "id": frames[1]["id"],
                "code": "rate_limited",
                "retryable": True,
                "retry_ms": 200,
                "detail": "Too fast.",
            },
            {
                "t": "ok",
                "id": frames[0]["id"],
                "chatroom_id": str(ROOM),
                "cid": frames[0]["cid"],
                "seq": 1,
                "message_id": str(uuid4()),
                "created_at": "2026-11-19T14:02:00.000000Z",
                "duplicate": False,
            },
        )
        answers = await asyncio.gather(*sends)
    assert isinstance(answers[0], Ok)
    assert answers[0].cid == first
    assert isinstance(answers[1], Err)


async def test_a_message_without_an_answer_is_known_to_be_unanswered(world: World) -> None:
    await world.past(0)
    async with running(world):
        peer = await world.greeted(pos=0)
        sending = asyncio.create_task(world.session.send(ROOM, uuid4(), "hello"))
        await peer.receive()
        await peer.close(1011)
        with pytest.raises(Disconnected):
            await sending
        with pytest.raises(Disconnected):
            await world.session.send(ROOM, uuid4(), "offline")


async def test_what_no_server_would_take_is_refused_before_it_is_sent(world: World) -> None:
    await world.past(0)
    async with running(world):
        await world.greeted(pos=0)
        for text in ("", "x" * 2001):
            with pytest.raises(Invalid):
                await world.session.send(ROOM, uuid4(), text)


async def test_read_marks_are_joined_kept_while_offline_and_sent_until_they_count(
    world: World,
) -> None:
    await world.past(0)
    world.session.mark_read(ROOM, 3)
    async with running(world):
        peer = await world.greeted(pos=0)
        assert await peer.receive() == {"t": "read", "chatroom_id": str(ROOM), "seq": 3}
        world.session.mark_read(ROOM, 4)
        world.session.mark_read(ROOM, 6)
        world.session.mark_read(ROOM, 5)
        await world.clock.advance(2)
        assert (await peer.receive())["seq"] == 6
        await peer.close(1011)
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.greeted(pos=0)
        assert (await again.receive())["seq"] == 6
        mark = {"chatroom_id": str(ROOM), "account_id": str(ME), "seq": 6, "unread": 0}
        await again.send({"t": "event", "pos": 1, "kind": "chatroom.read", "data": mark})
        await world.heard.until_applied(1)
        await again.close(1011)
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(1)
        third = await world.greeted(pos=1)
        await third.send({"t": "ping", "n": 1, "pos": 1})
        assert (await third.receive())["t"] == "pong"


async def test_typing_is_said_at_most_every_three_seconds_and_never_offline(world: World) -> None:
    await world.past(0)
    await world.session.typing(ROOM, True)
    await world.clock.advance(3)
    async with running(world):
        peer = await world.greeted(pos=0)
        await world.session.typing(ROOM, True)
        await world.session.typing(ROOM, True)
        await world.clock.advance(3)
        await world.session.typing(ROOM, False)
        frames = [await peer.receive(), await peer.receive()]
    assert [frame["on"] for frame in frames] == [True, False]


async def test_rooms_looked_at_are_named_again_after_a_reconnect(world: World) -> None:
    await world.past(0)
    async with running(world):
        peer = await world.greeted(pos=0)
        await world.session.open(ROOM)
        assert (await peer.receive())["t"] == "open"
        await peer.close(1011)
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.greeted(pos=0)
        assert await again.receive() == {"t": "open", "chatroom_id": str(ROOM)}


async def test_passing_news_is_handed_on(world: World) -> None:
    await world.past(0)
    async with running(world):
        peer = await world.greeted(pos=0)
        await peer.send(
            {
                "t": "ephemeral",
                "kind": "typing",
                "chatroom_id": str(ROOM),
                "data": {"on": True},
                "ttl_ms": 6000,
            }
        )
        await world.heard.until(lambda: bool(world.heard.ephemerals))
    assert world.heard.ephemerals[0].kind == "typing"


async def test_where_nobody_listens_the_line_is_offline_and_tries_again(tmp_path: Path) -> None:
    cache = await Cache(tmp_path / "cache.db", ME).open()
    async with fake_server() as server:
        world = World(server, cache)
    async with running(world):
        status = await world.heard.until_state(LineState.OFFLINE)
    await cache.close()
    assert status.reason == "the server was not reached"
    assert status.retry_at == pytest.approx(0.5)


async def test_the_position_on_disk_is_never_ahead_of_what_was_applied(world: World) -> None:
    """R4: an event and its position are one transaction, so a crash between them is none."""
    await world.past(3)
    with pytest.raises(AttributeError):
        await world.cache.apply(str(EPOCH), [new_message(4), cast(Change, _Unreadable())])
    assert await world.cache.position() == Position(str(EPOCH), 3)
    assert await world.cache.messages(ROOM) == []


class _Unreadable:
    pos = 5

    @property
    def data(self) -> None:
        raise AttributeError("the disk failed here")
