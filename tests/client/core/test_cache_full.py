"""A disk that takes no more stops what is kept of the server's, and nothing else."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from client_tui.core.cache import Cache
from client_tui.core.changes import Change, Position
from client_tui.core.database import Database
from client_tui.core.errors import CopiesLost, StorageFailed
from client_tui.core.status import LineState
from shared_models.chat import Message
from tests.client.core.fakes import (
    EPOCH,
    LISTING,
    ME,
    ROOM,
    FakeServer,
    bootstrap,
    event,
    fake_server,
    listing,
    message,
    new_message,
    room,
    welcome,
)
from tests.client.core.session_world import World, running

epoch = str(EPOCH)
READ_ONLY, WRITABLE = "PRAGMA query_only = ON", "PRAGMA query_only = OFF"
FULL = "PRAGMA max_page_count = 1"
LONG = "x" * 100_000


@dataclass
class Kept:
    """Copies on a disk that a test fills and empties."""

    cache: Cache
    told: list[str] = field(default_factory=list)

    async def disk(self, state: str) -> None:
        connection = self.cache._database._connection
        assert connection is not None
        await self.cache._database._on_thread(lambda: connection.execute(state).fetchall())


@asynccontextmanager
async def kept_in(folder: Path) -> AsyncIterator[Kept]:
    told: list[str] = []
    cache = Cache(folder / "cache.db", ME, on_trouble=lambda error: told.append(str(error)))
    await cache.open()
    yield Kept(cache, told)
    await cache.close()


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    async with kept_in(tmp_path) as kept:
        await kept.cache.rebase(bootstrap(3, [room()]))
        await kept.cache.save_messages([message(seq) for seq in range(1, 4)])
        yield kept


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as server:
        yield server


@pytest.mark.parametrize("state", [READ_ONLY, FULL])
async def test_the_line_goes_on_and_it_is_told_once(
    kept: Kept, server: FakeServer, state: str
) -> None:
    world = World(server, kept.cache)
    async with running(world):
        peer = await world.greeted(pos=3)
        await kept.disk(state)
        for pos in (4, 5):
            long = event(pos)
            long["data"]["text"] = LONG
            await peer.send(long)
            await world.heard.until_applied(pos)
        assert world.session.status.state is LineState.ONLINE
    assert [change.pos for change in world.heard.changes] == [4, 5]
    await kept.disk(WRITABLE)
    [told] = kept.told
    assert told.startswith("Nothing is kept on this machine for now: ")
    assert await kept.cache.position() == Position(epoch, 3)


async def test_the_position_stays_so_that_the_next_start_hears_all_of_it_again(
    tmp_path: Path, kept: Kept, server: FakeServer
) -> None:
    world = World(server, kept.cache)
    async with running(world):
        peer = await world.greeted(pos=3)
        await kept.disk(READ_ONLY)
        await peer.send(event(4), event(5))
        await world.heard.until_applied(5)
        await peer.close(1011)
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.server.peer()
        assert (await again.receive())["pos"] == 5, "what was heard is not heard again"
    async with kept_in(tmp_path) as later:
        world = World(server, later.cache)
        async with running(world):
            peer = await server.peer()
            assert (await peer.receive())["pos"] == 3
            await peer.send(welcome(5, resumed=True), event(4), event(5))
            await world.heard.until_applied(5)
        assert await later.cache.position() == Position(epoch, 5)
        assert [one.seq for one in await later.cache.messages(ROOM)] == [1, 2, 3, 4, 5]


async def test_a_disk_that_takes_again_gets_all_that_is_behind(
    kept: Kept, server: FakeServer
) -> None:
    world = World(server, kept.cache)
    world.bootstraps = [bootstrap(9, [room()])]
    await kept.disk(READ_ONLY)
    async with running(world):
        peer = await world.greeted(pos=9, resumed=False)
        await peer.send(event(10))
        await world.heard.until_applied(10)
        await kept.disk(WRITABLE)
        assert await kept.cache.position() == Position(epoch, 3)
        await peer.send(event(11))
        await world.heard.until_applied(11)
    assert await kept.cache.position() == Position(epoch, 11)
    assert [one.seq for one in await kept.cache.messages(ROOM)] == [10, 11]
    await kept.disk(READ_ONLY)
    await kept.cache.apply(epoch, [new_message(12)])
    assert len(kept.told) == 2, "it is told again when it happens again"


async def test_nothing_is_kept_beside_that_would_be_ahead_of_the_position(kept: Kept) -> None:
    await kept.disk(READ_ONLY)
    await kept.cache.apply(epoch, [new_message(4)])
    await kept.cache.save_messages([message(6)])
    await kept.cache.save_listing(listing(LISTING))
    await kept.cache.save_room(room(last_seq=5))
    await kept.disk(WRITABLE)
    assert [one.seq for one in await kept.cache.messages(ROOM)] == [1, 2, 3]
    assert await kept.cache.listing(LISTING) is None
    await kept.cache.save_messages([message(6)])
    assert [one.seq for one in await kept.cache.messages(ROOM)] == [1, 2, 3, 4, 6]
    assert await kept.cache.position() == Position(epoch, 4)


async def test_what_is_deleted_meanwhile_does_not_come_back_from_a_copy(kept: Kept) -> None:
    gone: Message = message(2).model_copy(update={"text": "", "deleted": True})
    await kept.disk(READ_ONLY)
    await kept.cache.apply(epoch, [Change(4, "message.deleted", gone)])
    await kept.disk(WRITABLE)
    assert [one.deleted for one in await kept.cache.messages(ROOM)] == [False, True, False]
    await kept.cache.apply(epoch, [new_message(5)])
    deleted = [one.deleted for one in await kept.cache.messages(ROOM)]
    assert deleted == [False, True, False, False]


async def test_what_is_too_much_to_be_kept_waits_for_a_bootstrap(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client_tui.core.behind.CHANGES_MAX", 1)
    gone: Message = message(2).model_copy(update={"text": "", "deleted": True})
    await kept.disk(READ_ONLY)
    await kept.cache.apply(epoch, [Change(4, "message.deleted", gone), new_message(5)])
    await kept.disk(WRITABLE)
    await kept.cache.apply(epoch, [new_message(6)])
    await kept.cache.save_messages([message(7)])
    assert await kept.cache.position() == Position(epoch, 3)
    assert [one.deleted for one in await kept.cache.messages(ROOM)] == [False, True, False]
    later: Message = message(3).model_copy(update={"text": "", "deleted": True})
    await kept.cache.apply(epoch, [Change(7, "message.deleted", later)])
    assert [one.deleted for one in await kept.cache.messages(ROOM)] == [False, True, True]
    await kept.cache.rebase(bootstrap(9, [room()]))
    await kept.cache.apply(epoch, [new_message(10)])
    assert await kept.cache.position() == Position(epoch, 10)
    assert len(kept.told) == 1


async def test_copies_that_are_lost_are_still_told_to_the_line(kept: Kept) -> None:
    with pytest.raises(CopiesLost):
        await kept.cache.apply(epoch, [new_message(9)])
    assert kept.told == []


def fail(*_: object) -> None:
    raise StorageFailed("No space left on device.")


@pytest.mark.parametrize("method", ["_open", "_migrate"])
async def test_a_start_without_room_for_copies_goes_on_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(Database, method, fail)
    async with kept_in(tmp_path) as kept:
        assert len(kept.told) == 1
        assert await kept.cache.position() is None
        assert await kept.cache.copies() is None
        await kept.cache.rebase(bootstrap(3, [room()]))
        await kept.cache.apply(epoch, [new_message(4)])
        assert await kept.cache.messages(ROOM) == []
        assert len(kept.told) == 1


def version(db: sqlite3.Connection) -> int:
    """Rises whenever somebody else has written."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])


async def test_a_file_of_this_version_is_opened_without_a_write(tmp_path: Path) -> None:
    """A full disk may be read: what waits in an outbox there still goes."""
    schema = ("CREATE TABLE one (number INTEGER)",)
    first = Database(tmp_path / "one.db", schema, synchronous="FULL")
    await first.open()
    before = await first.run(version)
    again = Database(tmp_path / "one.db", schema, synchronous="FULL")
    await again.open()
    await again.close()
    assert await first.run(version) == before
    await first.close()
