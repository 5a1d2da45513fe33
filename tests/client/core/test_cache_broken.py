import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from client_tui.core.cache import Cache
from client_tui.core.changes import Position
from client_tui.core.connection import Connection
from client_tui.core.errors import CopiesLost
from client_tui.core.status import LineState
from tests.client.core.fakes import (
    EPOCH,
    LISTING,
    ME,
    ROOM,
    bootstrap,
    event,
    listing,
    message,
    new_message,
    room,
    welcome,
)
from tests.client.core.session_world import World, running

epoch = str(EPOCH)


async def filled(path: Path) -> Cache:
    cache = await Cache(path, ME).open()
    await cache.rebase(bootstrap(3, [room()]))
    await cache.save_messages([message(seq) for seq in range(1, 4)])
    await cache.save_listing(listing(LISTING))
    return cache


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[Cache]:
    cache = await filled(tmp_path / "cache.db")
    yield cache
    await cache.close()


@asynccontextmanager
async def spoiled(path: Path, table: str) -> AsyncIterator[Cache]:
    """Open copies of which a dying disk has left one table unreadable."""
    await (await filled(path)).close()
    database = sqlite3.connect(path)
    find = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
    (page,) = database.execute(find, (table,)).fetchone()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 4096)
    cache = await Cache(path, ME).open()
    yield cache
    await cache.close()


def outdate(path: Path, *tables: str) -> None:
    """Leave in these tables what the models of this version do not know."""
    database = sqlite3.connect(path)
    with database:
        for table in tables:
            database.execute(f'UPDATE {table} SET data = \'{{"of": "another version"}}\'')
    database.close()


READS: list[tuple[str, Callable[[Cache], Awaitable[object]]]] = [
    ("account", Cache.copies),
    ("room", Cache.copies),
    ("message", lambda cache: cache.messages(ROOM)),
    ("listing", lambda cache: cache.listing(LISTING)),
]


@pytest.mark.parametrize(("table", "read"), READS)
async def test_copies_of_another_version_are_thrown_away_when_they_are_met(
    cache: Cache, tmp_path: Path, table: str, read: Callable[[Cache], Awaitable[object]]
) -> None:
    outdate(tmp_path / "cache.db", table)
    assert not await read(cache)
    assert await cache.position() is None
    assert await cache.copies() is None


@pytest.mark.parametrize(("table", "read"), READS)
async def test_a_file_that_turns_out_to_be_broken_is_replaced(
    tmp_path: Path, table: str, read: Callable[[Cache], Awaitable[object]]
) -> None:
    async with spoiled(tmp_path / "cache.db", table) as cache:
        assert not await read(cache)
        assert await cache.position() is None
        await cache.rebase(bootstrap(9, [room()]))
        assert await cache.position() == Position(epoch, 9)


@pytest.mark.parametrize("table", ["account", "room", "message", "trade", "position"])
async def test_a_bootstrap_needs_no_file_that_can_be_read(tmp_path: Path, table: str) -> None:
    async with spoiled(tmp_path / "cache.db", table) as cache:
        await cache.rebase(bootstrap(9, [room()]))
        assert await cache.position() == Position(epoch, 9)


async def test_nothing_is_applied_to_copies_that_are_gone(cache: Cache, tmp_path: Path) -> None:
    outdate(tmp_path / "cache.db", "room")
    for pos in (4, 5):
        with pytest.raises(CopiesLost):
            await cache.apply(epoch, [new_message(pos)])
    assert await cache.position() is None
    assert await cache.messages(ROOM) == []


async def test_who_only_keeps_a_copy_hears_nothing_of_a_broken_file(tmp_path: Path) -> None:
    async with spoiled(tmp_path / "cache.db", "listing") as cache:
        await cache.save_listing(listing(LISTING))
        assert await cache.listing(LISTING) is None
        await cache.save_listing(listing(LISTING))
        assert await cache.listing(LISTING) == listing(LISTING)


async def test_the_line_makes_lost_copies_good_by_a_bootstrap(world: World, tmp_path: Path) -> None:
    await world.past(3)
    world.bootstraps = [bootstrap(4, [room(last_seq=4)])]
    async with running(world):
        peer = await world.greeted(pos=3)
        outdate(tmp_path / "cache.db", "room")
        await peer.send(event(4))
        await peer.gone()
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.server.peer()
        assert "pos" not in await again.receive()
        await again.send(welcome(4, resumed=False))
        await world.heard.until_state(LineState.ONLINE)
    assert await world.cache.position() == Position(epoch, 4)


async def test_a_line_that_breaks_down_says_so_and_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise LookupError("what nobody thought of")

    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        with monkeypatch.context() as broken:
            broken.setattr(Connection, "_apply_changes", fail)
            await peer.send(event(4))
            await peer.gone()
            status = await world.heard.until_state(LineState.RECONNECTING)
        assert status.reason == "something went wrong: what nobody thought of"
        assert status.retry_at is not None
        await world.clock.advance(0.5)
        assert "pos" not in await (await world.server.peer()).receive()
