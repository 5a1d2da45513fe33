"""What a power cut leaves of acknowledged messages.

What these tests prove: a message is synced before its `ok` leaves; of what the server had synced by
then, and of every cut of what it wrote after that, between writes or within one, the database opens
whole with every acknowledged message and no half of another; and both databases are told to sync
each commit to the disk before they call it done. What they do not prove is that the operating
system and the disk obey: no power was cut.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from client_tui.core.outbox import Outbox
from server.platform.database import Database
from tests.faults.accounts import read_history
from tests.journeys.devices import Device, device, open_room
from tests.journeys.wal import FRAME_HEADER, HEADER, Wal
from tests.realtime.conftest import PATIENCE_S
from tests.realtime.conftest import Device as Line
from tests.realtime.test_sigterm import dial
from tests.servers.lifetime import Lifetime, kill
from tests.servers.picky import start_picky
from tests.servers.postgres import start_postgres
from tests.servers.syncs import SyncWatch

MESSAGES = 150
"""Enough for SQLite to move its log into the database and begin it anew."""
EVERY = 30
READS = 5
COUNT = 200
FULL = 2


class Synced:
    """The files of a server as a power cut leaves them in this moment: what it has synced."""

    def __init__(self, syncs: SyncWatch, folder: Path) -> None:
        folder.mkdir()
        self.database, self.log = folder / "picky.db", folder / "picky.db-wal"
        syncs.copy(self.database, self.log)
        self.wal = Wal.read(self.log)

    def texts(self, at: int | None = None) -> list[str]:
        """What people said, from a database that must be whole, when the log ends there."""
        with tempfile.TemporaryDirectory(dir=self.log.parent) as name:
            database = Path(name, "picky.db")
            shutil.copyfile(self.database, database)
            with self.log.open("rb") as log:
                Path(name, "picky.db-wal").write_bytes(log.read(at))
            return texts(database)


def cuts(before: Synced, after: Synced) -> Iterator[int]:
    """Where the log may end after the message of `before` was acknowledged, up to the next one."""
    same_log = before.wal.salts == after.wal.salts
    first = before.wal.commits[-1] if same_log else HEADER
    for at in after.wal.boundaries:
        if at >= first:
            yield at
            yield at + FRAME_HEADER + 1


def texts(database: Path) -> list[str]:
    """What people said, from a database that must be whole."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute(
            "SELECT text FROM chat_message WHERE kind = 'text' ORDER BY seq"
        ).fetchall()
    return [said for (said,) in found]


@asynccontextmanager
async def watched_room(
    lifetime: Lifetime, folder: Path
) -> AsyncIterator[tuple[SyncWatch, Device, Line, UUID]]:
    """The syncs of a server on SQLite, and a buyer in a room there with a line to write on."""
    syncs = SyncWatch(lifetime.directory / "syncs")
    with syncs.watching():
        server = await asyncio.to_thread(start_picky, lifetime, under=syncs.command)
        async with (
            device(server.url, "minji", folder / "seller") as seller,
            device(server.url, "bora", folder / "buyer") as buyer,
        ):
            room_id = await open_room(seller, buyer, folder)
            async with await dial(server.url, buyer.token) as line:
                yield syncs, buyer, line, room_id
        await asyncio.to_thread(server.stop)


async def test_an_acknowledged_message_outlives_every_cut_back_to_what_was_synced(
    private_lifetime: Lifetime, tmp_path: Path
) -> None:
    said: list[str] = []
    begun_anew = 0
    async with watched_room(private_lifetime, tmp_path) as (syncs, _, line, room_id):
        before: Synced | None = None
        for number in range(MESSAGES):
            said.append(f"message {number}")
            await line.send(str(room_id), said[-1])
            after = Synced(syncs, tmp_path / f"synced-{number}")
            assert after.texts() == said
            if before is not None:
                is_new = before.wal.salts != after.wal.salts
                begun_anew += is_new
                if is_new or number % EVERY == 1:
                    for at in cuts(before, after):
                        assert after.texts(at) in (said[:-1], said), (number, at)
                shutil.rmtree(before.database.parent)
            before = after
    assert begun_anew, "the log was never begun anew"


async def test_no_ok_leaves_before_the_sync_of_its_message(
    private_lifetime: Lifetime, tmp_path: Path
) -> None:
    async with watched_room(private_lifetime, tmp_path) as (syncs, buyer, line, room_id):
        with syncs.held() as waits:
            sending = asyncio.create_task(line.send(str(room_id), "on the disk?"))
            assert await asyncio.to_thread(waits.wait, PATIENCE_S), "nothing was synced"
            for _ in range(READS):  # the server goes on meanwhile
                history = await read_history(buyer.api, room_id)
                assert "on the disk?" not in [message.text for message in history]
            assert not sending.done()
        await sending


async def test_every_commit_is_synced_before_it_is_called_done(
    private_lifetime: Lifetime, sqlite_url: str, tmp_path: Path
) -> None:
    database = Database(sqlite_url)
    async with database.writer.connect() as connection:
        assert await connection.scalar(text("PRAGMA synchronous")) == FULL
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
    await database.close()

    outbox = await Outbox(tmp_path / "outbox.db").open()
    (level,) = await outbox._database.run(lambda db: db.execute("PRAGMA synchronous").fetchone())
    await outbox.close()
    assert level == FULL

    postgres = await asyncio.to_thread(start_postgres, private_lifetime, durable=True)
    database = Database(postgres.url())
    async with database.writer.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.scalar(text(f"SHOW {setting}")) == "on"
    await database.close()


@pytest.mark.timeout(120)
async def test_a_killed_postgresql_has_every_acknowledged_message_and_the_rest_follows(
    private_lifetime: Lifetime, tmp_path: Path
) -> None:
    postgres = await asyncio.to_thread(start_postgres, private_lifetime, durable=True)
    server = await asyncio.to_thread(start_picky, private_lifetime, database_url=postgres.url())
    async with (
        device(server.url, "minji", tmp_path / "seller") as seller,
        device(server.url, "bora", tmp_path / "buyer") as buyer,
    ):
        room_id = await open_room(seller, buyer, tmp_path)
        for number in range(COUNT):
            await buyer.outbox.put(room_id, f"message {number}")
        async with seller.live(), buyer.live():
            await buyer.until(lambda: buyer.sent_count >= COUNT // 3)
            kill(postgres.pid)  # in this thread: nobody sends or hears anything meanwhile
            acknowledged = buyer.sent_count
            assert acknowledged < COUNT, "not killed amid the flood"
            await asyncio.to_thread(start_postgres, private_lifetime, durable=True)
            kept = await read_history(seller.api, room_id)
            expected = [f"message {number}" for number in range(COUNT)]
            said = [message.text for message in kept if message.kind == "text"]
            assert len(said) >= acknowledged
            assert said == expected[: len(said)]
            await seller.until(lambda: len(seller.messages) >= COUNT)
        assert [message.text for message in seller.messages] == expected
