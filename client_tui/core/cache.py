"""Copies of what the server has: to show at once, offline, and to resume from where one was.

Everything here may be thrown away: copies that cannot be read (any more) go with all the others
and with the position, so that a bootstrap follows; and what is too much is dropped, the least
recent first. The position is stored in the transaction that applies its events (R4).

A disk that takes no more stops the copies and nothing else: they stand still, with the position,
until it takes again what is behind. The next start hears what has not come to be written.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from pydantic import ValidationError

from client_tui.core import cache_rows as rows
from client_tui.core.behind import Behind
from client_tui.core.changes import Change, Position, following
from client_tui.core.database import Database
from client_tui.core.errors import CopiesLost, StorageFailed, StorageUnreadable
from client_tui.core.rooms import with_deleted, with_message, with_read_mark
from shared_models.accounts import Account
from shared_models.chat import Chatroom, ChatroomDetail, Message, ReadMark
from shared_models.listings import Listing, ListingCard
from shared_models.notifications import Notification, NotificationsSeen
from shared_models.sync import Bootstrap
from shared_models.trades import Trade

MESSAGES_MAX: Final = 100_000
LISTINGS_MAX: Final = 2_000
_PRUNE_EVERY: Final = 2_000
_SCHEMA = (
    """
    CREATE TABLE account (
        one INTEGER PRIMARY KEY CHECK (one = 1), data TEXT NOT NULL, unread INTEGER NOT NULL
    );
    CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT, pos INTEGER);
    CREATE TABLE room (
        id TEXT PRIMARY KEY, active_at TEXT NOT NULL, last_seq INTEGER NOT NULL, data TEXT NOT NULL
    );
    CREATE INDEX room_by_activity ON room (active_at DESC, id DESC);
    CREATE TABLE message (
        room_id TEXT NOT NULL, seq INTEGER NOT NULL, deleted INTEGER NOT NULL, data TEXT NOT NULL,
        PRIMARY KEY (room_id, seq)
    ) WITHOUT ROWID;
    CREATE TABLE trade (id TEXT PRIMARY KEY, version INTEGER NOT NULL, data TEXT NOT NULL);
    CREATE TABLE listing (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, data TEXT NOT NULL
    )
    """,
)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Copies:
    """The state of the account as it was at ``position``."""

    position: Position
    account: Account
    unread_notifications: int
    rooms: list[Chatroom]
    trades: list[Trade]


class Cache:
    """The copies of one account."""

    def __init__(
        self,
        path: Path,
        me: UUID,
        *,
        messages_max: int = MESSAGES_MAX,
        listings_max: int = LISTINGS_MAX,
        on_trouble: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        """``me`` is the account: its own messages are never unread.

        ``on_trouble`` hears once that nothing is kept for now.
        """
        self._database = Database(path, _SCHEMA, synchronous="NORMAL")
        self._me = me
        self._messages_max = messages_max
        self._listings_max = listings_max
        self._unpruned = 0
        self._on_trouble = on_trouble
        self._behind = Behind()

    async def open(self) -> "Cache":
        """Open the file; one that cannot be read is replaced by an empty one."""
        try:
            await self._open()
        except StorageFailed as error:
            self._tell(error)
        return self

    async def _open(self) -> None:
        try:
            await self._database.open()
        except StorageUnreadable:
            await self._database.replace()
        with suppress(CopiesLost):
            await self._run(self._prune)

    def _tell(self, reason: StorageFailed) -> None:
        if not self._behind.is_told:
            self._behind.is_told = True
            self._on_trouble(StorageFailed(f"Nothing is kept on this machine for now: {reason}"))

    async def close(self) -> None:
        """Finish what was begun, then close."""
        await self._database.close()

    async def position(self) -> Position | None:
        """How far the stream is applied; None before the first bootstrap."""
        return await self._read(rows.position, None)

    async def copies(self) -> Copies | None:
        """All that is shown before the server is heard; None before the first bootstrap."""

        def read(db: sqlite3.Connection) -> Copies | None:
            position, known = rows.position(db), rows.account(db)
            if position is None or known is None:
                return None
            return Copies(position, *known, rows.rooms(db), rows.trades(db))

        return await self._read(read, None)

    async def rebase(self, state: Bootstrap) -> None:
        """Start anew from a bootstrap.

        Copies of messages go too: what was deleted while nobody listened must not stay here.
        """
        self._behind.begin(state)
        try:
            await self._catch_up()
        except CopiesLost:  # they could not be read, and have made room for these
            await self._catch_up()

    async def apply(self, epoch: str, changes: Sequence[Change]) -> None:
        """Apply events in order and store the position of the last, in one transaction (R4).

        What another program that shares the file has applied already is left out. Raises
        :class:`CopiesLost` when there are no copies, or others than these events go on from. What
        the disk does not take now is written with what comes next.
        """
        self._behind.add(epoch, changes)
        try:
            await self._catch_up()
        except CopiesLost:
            self._behind = Behind()
            raise

    async def _catch_up(self) -> bool:
        """Write all that is behind, in one transaction; whether nothing is behind any more."""
        behind = self._behind
        state, changes, epoch = behind.state, tuple(behind.changes), behind.epoch

        def write(db: sqlite3.Connection) -> None:
            if state is not None:
                self._replace(db, state)
            if changes:
                self._apply_all(db, epoch, changes)

        if state is not None or changes:
            try:
                await self._write_messages(write, len(changes))
            except CopiesLost:
                raise
            except StorageFailed as error:
                behind.not_taken()
                self._tell(error)
            else:
                behind.written(state, changes)
        return behind.is_empty

    def _replace(self, db: sqlite3.Connection, state: Bootstrap) -> None:
        rows.clear(db)
        for room in state.chatrooms:
            rows.put_room(db, room)
        for trade in state.trades:
            rows.put_trade(db, trade)
        db.execute(
            "INSERT INTO account VALUES (1, ?, ?)",
            (state.account.model_dump_json(), state.unread_notifications),
        )
        rows.put_position(db, Position(str(state.epoch), state.pos))

    def _apply_all(self, db: sqlite3.Connection, epoch: str, changes: Sequence[Change]) -> None:
        here = rows.position(db)
        fresh = following(here, epoch, changes) if here else None
        if fresh is None:
            raise CopiesLost("The copies are not those that these events change.")
        for change in fresh:
            self._apply(db, change)
        if fresh:
            rows.put_position(db, Position(epoch, fresh[-1].pos))

    def _apply(self, db: sqlite3.Connection, change: Change) -> None:
        match change.data:
            case Message() as message:
                rows.put_message(db, message)
                after = with_deleted if message.deleted else partial(with_message, me=self._me)
                rows.change_room(db, message.chatroom_id, lambda room: after(room, message))
            case ReadMark() as mark:
                rows.change_room(
                    db, mark.chatroom_id, lambda room: with_read_mark(room, mark, self._me)
                )
            case ChatroomDetail() as detail:
                rows.put_read_room(db, detail)
            case ListingCard() as card:
                rows.refresh_listing(db, card)
            case Trade() as trade:
                rows.put_trade(db, trade)
            case Account() as account:
                db.execute("UPDATE account SET data = ?", (account.model_dump_json(),))
            case Notification(read=False):
                db.execute("UPDATE account SET unread = unread + 1")
            case NotificationsSeen(unread=unread):
                db.execute("UPDATE account SET unread = ?", (unread,))

    async def save_room(self, room: Chatroom) -> None:
        """Keep a room that was read from the server; what is known to be newer stays."""
        await self._keep(lambda db: rows.put_read_room(db, room))

    async def messages(
        self, room_id: UUID, *, before: int | None = None, after: int = 0, limit: int = 50
    ) -> list[Message]:
        """The newest copies with ``after < seq < before``, ascending. Holes are to be expected."""
        values = (str(room_id), after, before if before is not None else 2**62, limit)

        def read(db: sqlite3.Connection) -> list[Message]:
            found = db.execute(
                "SELECT data FROM message WHERE room_id = ? AND seq > ? AND seq < ?"
                " ORDER BY seq DESC LIMIT ?",
                values,
            ).fetchall()
            return rows.models(Message, reversed(found))

        copies: list[Message] = await self._read(read, [])
        return [self._behind.newest(copy) for copy in copies]

    async def save_messages(self, messages: Sequence[Message]) -> None:
        """Keep a page of history. A tombstone is never overwritten by an older copy."""

        def save(db: sqlite3.Connection) -> None:
            for message in messages:
                rows.put_message(db, message)

        with suppress(CopiesLost):
            if await self._catch_up():
                await self._write_messages(save, len(messages))

    async def listing(self, listing_id: UUID) -> Listing | None:
        """The copy of a listing in full."""

        def read(db: sqlite3.Connection) -> Listing | None:
            found = db.execute("SELECT data FROM listing WHERE id = ?", (str(listing_id),))
            return next(iter(rows.models(Listing, found)), None)

        return await self._read(read, None)

    async def save_listing(self, listing: Listing) -> None:
        """Keep a listing in full; the least recently saved ones give way."""

        def save(db: sqlite3.Connection) -> None:
            values = (str(listing.id), listing.model_dump_json())
            db.execute("INSERT OR REPLACE INTO listing (id, data) VALUES (?, ?)", values)
            db.execute(
                "DELETE FROM listing WHERE number <="
                " (SELECT number FROM listing ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (self._listings_max,),
            )

        await self._keep(save)

    async def _keep(self, save: Callable[[sqlite3.Connection], None]) -> None:
        with suppress(CopiesLost):
            if await self._catch_up():
                await self._run(save)

    async def _read(self, work: Callable[[sqlite3.Connection], Result], none: Result) -> Result:
        """What ``work`` finds; ``none`` when the copies had to be thrown away, or cannot be had."""
        try:
            return await self._run(work)
        except CopiesLost:
            return none
        except StorageFailed:
            if not self._behind.is_told:
                raise
            return none

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``work``; copies that cannot be used are thrown away, and then nothing was done.

        What another version wrote may not fit the models of this one (``ValidationError``).
        """
        try:
            return await self._database.run(work)
        except CopiesLost:
            raise
        except (StorageUnreadable, ValidationError) as error:
            await self._start_empty(error)
            raise CopiesLost(f"The copies in {self._database.path} could not be used.") from error

    async def _start_empty(self, reason: Exception) -> None:
        if isinstance(reason, ValidationError):
            # The file itself is good, and another window may be using it.
            with suppress(StorageUnreadable):
                await self._database.run(rows.clear_all)
                return
        await self._database.replace()

    async def _write_messages(
        self, write: Callable[[sqlite3.Connection], None], count: int
    ) -> None:
        """Run ``write``; count the messages again after enough of them were added."""
        self._unpruned += count
        prune = self._unpruned >= min(_PRUNE_EVERY, self._messages_max)

        def run(db: sqlite3.Connection) -> None:
            write(db)
            if prune:
                self._prune(db)

        await self._run(run)
        if prune:
            self._unpruned = 0

    def _prune(self, db: sqlite3.Connection) -> None:
        """Keep the newest messages of the most active rooms, each at most half of all."""
        most = self._messages_max
        left = most
        counts = db.execute(
            "SELECT room_id, count(*) FROM message LEFT JOIN room ON room.id = room_id"
            " GROUP BY room_id ORDER BY max(active_at) DESC"
        ).fetchall()
        for room_id, count in counts:
            kept = min(count, left, most // 2 if len(counts) > 1 else most)
            left -= kept
            if kept < count:
                db.execute(
                    "DELETE FROM message WHERE room_id = ? AND seq <="
                    " (SELECT seq FROM message WHERE room_id = ?"
                    " ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                    (room_id, room_id, kept),
                )
