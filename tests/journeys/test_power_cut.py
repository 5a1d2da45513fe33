"""What a power cut leaves of acknowledged messages.

What these tests prove: a message's commit is in the database's log before its `ok` leaves, the log
may be cut anywhere after that commit, between writes or within one, and the database opens whole
with every acknowledged message and no half of another; and both databases are told to sync each
commit to the disk before they call it done. What they do not prove is that the operating system and
the disk obey: no power was cut.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from client_tui.core.outbox import Outbox
from server.platform.database import Database
from tests.faults.accounts import read_history
from tests.journeys.devices import device, open_room
from tests.journeys.wal import FRAME_HEADER, HEADER, Wal
from tests.realtime.test_sigterm import dial
from tests.servers.lifetime import Lifetime, kill
from tests.servers.picky import PickyServer, start_picky
from tests.servers.postgres import start_postgres

MESSAGES = 150
"""Enough for SQLite to move its log into the database and begin it anew."""
EVERY = 30
COUNT = 200
FULL = 2


class Copy:
    """The files of a server as they are in this moment."""

    def __init__(self, server: PickyServer, folder: Path) -> None:
        folder.mkdir()
        self.database, self.log = folder / "picky.db", folder / "picky.db-wal"
        process = psutil.Process(server.pid)
        process.suspend()
        try:
            for path in (self.database, self.log):
                shutil.copyfile(server.data_dir / path.name, path)
        finally:
            process.resume()
        self.wal = Wal.read(self.log)

    def cut(self, at: int, folder: Path) -> Path:
        """A copy whose log ends there; the path of its database."""
        folder.mkdir()
        shutil.copyfile(self.database, folder / "picky.db")
        with self.log.open("rb") as log:
            (folder / "picky.db-wal").write_bytes(log.read(at))
        return folder / "picky.db"


def cuts(before: Copy, after: Copy) -> Iterator[int]:
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


@pytest.mark.timeout(120)
async def test_an_acknowledged_message_outlives_every_cut_of_the_log_on_sqlite(
    private_lifetime: Lifetime, tmp_path: Path
) -> None:
    server = await asyncio.to_thread(start_picky, private_lifetime)
    said: list[str] = []
    begun_anew = 0
    async with (
        device(server.url, "minji", tmp_path / "seller") as seller,
        device(server.url, "bora", tmp_path / "buyer") as buyer,
    ):
        room_id = await open_room(seller, buyer, tmp_path)
        async with await dial(server.url, buyer.token) as line:
            before: Copy | None = None
            for number in range(MESSAGES):
                said.append(f"message {number}")
                await line.send(str(room_id), said[-1])
                after = Copy(server, tmp_path / f"copy-{number}")
                if before is not None:
                    is_new = before.wal.salts != after.wal.salts
                    begun_anew += is_new
                    if is_new or number % EVERY == 1:
                        for at in cuts(before, after):
                            kept = texts(after.cut(at, tmp_path / f"cut-{number}-{at}"))
                            assert kept in (said[:-1], said), (number, at)
                            shutil.rmtree(tmp_path / f"cut-{number}-{at}")
                        assert kept == said
                    shutil.rmtree(before.database.parent)
                before = after
    assert begun_anew, "the log was never begun anew"


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
            await asyncio.to_thread(kill, postgres.pid)
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
