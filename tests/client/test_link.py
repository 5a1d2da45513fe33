import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from client_tui.core.api import Api
from client_tui.core.cache import Cache
from client_tui.core.config import change_config, load_config
from client_tui.core.credentials import Credentials
from client_tui.core.errors import ServerFailed, ServerUnreachable, StorageFailed, TooFast
from client_tui.core.outbox import Outbox
from client_tui.core.paths import Paths
from client_tui.core.status import LineState
from client_tui.link import Link
from shared_models.chat import ChatroomDetail
from shared_models.market import Market
from shared_models.sync import Bootstrap
from tests.client.app.room_server import MARKET
from tests.client.core.fakes import (
    EPOCH,
    ME,
    ROOM,
    FakeClock,
    FakeServer,
    Peer,
    bootstrap,
    event,
    fake_server,
    kept_rooms,
    meanwhile,
    message,
    new_message,
    room,
    welcome,
)
from tests.quiet import PATIENCE_S, settle

OLD = MARKET.model_copy(update={"name": "as it was"})


class World:
    """A link to a realtime server that a test leads; its HTTP answers are the test's too."""

    def __init__(self, link: Link, server: FakeServer) -> None:
        self.link, self.server = link, server
        self.market: Market | Exception | None = None
        self.bootstrap = bootstrap(0)

    async def read_market(self) -> Market:
        if self.market is None:
            await asyncio.Event().wait()
        if isinstance(self.market, Exception):
            raise self.market
        assert self.market is not None
        return self.market

    async def read_bootstrap(self) -> Bootstrap:
        return self.bootstrap

    def keep_market(self) -> None:
        """The app was here before."""
        path = self.link.paths.market_file(ME)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(OLD.model_dump_json())

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await settle()

    async def until_state(self, state: LineState) -> None:
        await self.until(lambda: self.link.status.state is state)

    async def greeted(self) -> Peer:
        """A line that is live."""
        peer = await self.server.peer()
        await peer.receive()
        await peer.send(welcome(self.bootstrap.pos, resumed=False))
        await self.until_state(LineState.ONLINE)
        return peer

    def running(self) -> AbstractAsyncContextManager[None]:
        return meanwhile(self.link.run())


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("PICKY_CREDENTIALS", "file")
    paths = Paths(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    async with fake_server() as server:
        link = Link(paths, clock=FakeClock())
        link.credentials = Credentials(server.url, ME, "me", "token")
        world = World(link, server)
        monkeypatch.setattr(Api, "market", lambda _: world.read_market())
        monkeypatch.setattr(Api, "bootstrap", lambda _: world.read_bootstrap())
        yield world
        await link.close()


async def test_a_start_does_not_wait_for_a_server_that_was_heard_before(world: World) -> None:
    world.keep_market()
    async with asyncio.timeout(PATIENCE_S):
        await world.link.start()
    assert world.link.market == OLD


async def test_the_lists_are_read_anew_when_the_line_is_there(world: World) -> None:
    world.keep_market()
    world.market = MARKET
    await world.link.start()
    async with world.running():
        await world.greeted()
        await world.until(lambda: world.link.market == MARKET)
    await world.link.close()
    world.market = None
    async with asyncio.timeout(PATIENCE_S):
        await world.link.start()
    assert world.link.market == MARKET


@pytest.mark.parametrize(("off_s", "told_s"), [(420, 0), (3, 3)])
async def test_the_time_is_the_servers_where_this_machines_clock_is_off(
    world: World, off_s: float, told_s: float
) -> None:
    world.market = MARKET
    told = datetime.fromisoformat(welcome(0, resumed=False)["server_time"])
    clock = world.link.clock
    assert isinstance(clock, FakeClock)
    await clock.advance(off_s)
    await world.link.start()
    async with world.running():
        await world.greeted()
        assert world.link.now() == told + timedelta(seconds=told_s)


REFUSALS = [
    ServerUnreachable("http://server", "gone"),
    ServerFailed(503, "starting", "Not yet."),
    TooFast(429, "rate_limited", "Too fast."),
]


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_server_that_will_not_tell_its_lists_leaves_those_of_the_last_time(
    world: World, refusal: Exception
) -> None:
    world.keep_market()
    world.market = refusal
    await world.link.start()
    async with world.running():
        await world.greeted()
        await settle()
    assert world.link.market == OLD
    assert world.link.status.state is LineState.ONLINE


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_the_first_start_of_all_needs_the_server_and_leaves_nothing_open(
    world: World, refusal: Exception
) -> None:
    world.market = refusal
    with pytest.raises(type(refusal)):
        await world.link.start()
    with pytest.raises(RuntimeError, match="shutdown"):
        await world.link.outbox.waiting()
    world.market = MARKET
    await world.link.start()
    assert world.link.market == MARKET


async def test_what_another_window_has_applied_meanwhile_is_heard_here_too(world: World) -> None:
    world.keep_market()
    cache = await Cache(world.link.paths.cache_file(ME), ME).open()
    await cache.rebase(bootstrap(3, [room()]))
    await world.link.start()
    await cache.apply(str(EPOCH), [new_message(4)])
    async with world.running():
        peer = await world.server.peer()
        assert (await peer.receive())["pos"] == 3
        await peer.send(welcome(4, resumed=True), event(4))
        await world.until(lambda: world.link.store.state.pos == 4)
    [kept] = world.link.store.rooms_by_activity()
    assert (kept.last_seq, kept.unread) == (4, 1)
    await cache.close()


async def test_a_room_heard_of_by_its_first_messages_is_read_and_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = list[UUID](), asyncio.Event()

    async def read(_: Api, room_id: UUID) -> ChatroomDetail:
        asked.append(room_id)
        await answer.wait()
        parts: dict[str, Any] = {
            "trade": None,
            "offer": None,
            "appointment": None,
            "allowed_actions": [],
        }
        known = room(last_seq=1, last_message=message(1), unread=1)
        return ChatroomDetail.model_validate(known.model_dump() | parts)

    monkeypatch.setattr(Api, "room", read)
    world.keep_market()
    await world.link.start()
    async with world.running():
        peer = await world.greeted()
        await peer.send(event(1), event(2))
        await world.until(lambda: world.link.store.state.pos == 2)
        answer.set()
        await world.until(lambda: bool(world.link.store.state.rooms))
        await peer.send(event(3))
        await world.until(lambda: world.link.store.state.pos == 3)
    assert asked == [ROOM]
    assert world.link.store.unread_total() == 3
    [kept] = await kept_rooms(world.link.cache)
    assert (kept.last_seq, kept.unread) == (3, 3)


async def test_a_room_that_could_not_be_read_is_read_with_its_next_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[UUID] = []

    async def read(_: Api, room_id: UUID) -> ChatroomDetail:
        asked.append(room_id)
        raise ServerUnreachable("http://server", "gone")

    monkeypatch.setattr(Api, "room", read)
    world.keep_market()
    await world.link.start()
    async with world.running():
        peer = await world.greeted()
        for pos in (1, 2):
            await peer.send(event(pos))
            await world.until(lambda count=pos: len(asked) == count)  # type: ignore[misc]
            await settle()
    assert asked == [ROOM, ROOM]


@pytest.mark.parametrize("code", [4500, 4501, 4502, 4503, 4504])
async def test_after_an_end_a_person_may_try_again(world: World, code: int) -> None:
    world.keep_market()
    await world.link.start()
    async with world.running():
        await (await world.server.peer()).close(code)
        await world.until(lambda: bool(world.link.status.reason))
        assert world.link.status.retry_at is None
        world.link.retry()
        await world.greeted()
        assert world.link.status.reason == ""


async def test_a_person_need_not_wait_for_the_next_try(world: World) -> None:
    world.link.retry()
    world.keep_market()
    await world.link.start()
    async with world.running():
        await (await world.server.peer()).close(1011)
        await world.until(lambda: world.link.status.retry_at is not None)
        world.link.retry()
        await world.greeted()


async def test_who_sends_no_read_marks_has_read_all_the_same_and_is_not_seen_to_look(
    world: World,
) -> None:
    world.keep_market()
    world.link.remember(send_read_marks=False)
    world.bootstrap = bootstrap(0, [room(last_seq=3, unread=3)])
    await world.link.start()
    async with world.running():
        peer = await world.greeted()
        await world.link.session.open(ROOM)
        world.link.session.mark_read(ROOM, 2)
        world.link.session.mark_read(ROOM, 1)
        assert world.link.store.unread_total() == 1
        await peer.send({"t": "ping", "n": 1, "pos": 0})
        assert (await peer.receive())["t"] == "pong"
        await world.link.session.close(ROOM)
        world.link.remember(send_read_marks=True)
        world.link.session.mark_read(ROOM, 3)
        await world.link.clock.advance(2)  # type: ignore[attr-defined]
        assert await peer.receive() == {"t": "read", "chatroom_id": str(ROOM), "seq": 3}
    [kept] = await kept_rooms(world.link.cache)
    assert (kept.read_seq, kept.unread) == (2, 1)


async def test_only_what_still_goes_by_itself_is_counted_as_queued(world: World) -> None:
    world.keep_market()
    await world.link.start()
    failed = await world.link.send_message(ROOM, "bad")
    await world.link.send_message(ROOM, "good")
    assert world.link.queued_count == 2
    refused = await world.link.outbox.failed(failed.cid, "message_blocked", "No.")
    assert refused is not None
    world.link.altered(refused)
    await world.until(lambda: world.link.queued_count == 1)
    assert world.link.failed == {ROOM: 1}


async def test_a_disk_that_fails_beside_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Outbox) -> None:
        raise StorageFailed("The disk is full.")

    told: list[Exception] = []
    world.keep_market()
    world.link.on_trouble = told.append
    await world.link.start()
    message = await world.link.send_message(ROOM, "hello")
    monkeypatch.setattr(Outbox, "count", fail)
    world.link.altered(message)
    await world.until(lambda: [str(error) for error in told] == ["The disk is full."])


def test_a_setting_that_could_not_be_written_is_written_with_the_next(world: World) -> None:
    file = world.link.paths.config_file
    file.parent.mkdir(parents=True)
    file.write_text("theme = \n")
    world.link.remember(send_read_marks=False)
    world.link.remember(server="https://market.example")
    file.unlink()
    world.link.remember(theme="picky-light")
    assert world.link.config == load_config(file)
    assert (world.link.config.send_read_marks, world.link.config.theme) == (False, "picky-light")
    assert world.link.config.server == "https://market.example"
    change_config(file, send_read_marks=True)
    world.link.remember(theme="picky-dark")
    assert world.link.config.send_read_marks, "what is written is not written again"
