"""Copies of what the server has: to show at once, offline, and to resume from where one was.

Everything here may be thrown away: copies that cannot be read (any more) go with all the others
and with the position, so that a bootstrap follows; and what is too much is dropped, the least
recent first. The position is stored in the transaction that applies its events (R4).
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from pydantic import ValidationError

from client_tui.core.changes import Change, Position, following
from client_tui.core.database import Database
from client_tui.core.errors import CopiesLost, StorageUnreadable
from client_tui.core.rooms import with_deleted, with_message, with_read_mark
from shared_models.accounts import Account
from shared_models.base import Wire, format_time
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
Kept = TypeVar("Kept", bound=Wire)
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
    ) -> None:
        """``me`` is the account: its own messages are never unread."""
        self._database = Database(path, _SCHEMA, synchronous="NORMAL")
        self._me = me
        self._messages_max = messages_max
        self._listings_max = listings_max
        self._unpruned = 0

    async def open(self) -> "Cache":
        """Open the file; one that cannot be read is replaced by an empty one."""
        try:
            await self._database.open()
        except StorageUnreadable:
            await self._database.replace()
        with suppress(CopiesLost):
            await self._run(self._prune)
        return self

    async def close(self) -> None:
        """Finish what was begun, then close."""
        await self._database.close()

    async def position(self) -> Position | None:
        """How far the stream is applied; None before the first bootstrap."""
        return await self._read(_position, None)

    async def copies(self) -> Copies | None:
        """All that is shown before the server is heard; None before the first bootstrap."""

        def read(db: sqlite3.Connection) -> Copies | None:
            position, known = _position(db), _account(db)
            if position is None or known is None:
                return None
            return Copies(position, *known, _rooms(db), _trades(db))

        return await self._read(read, None)

    async def rebase(self, state: Bootstrap) -> None:
        """Start anew from a bootstrap.

        Copies of messages go too: what was deleted while nobody listened must not stay here.
        """

        def replace(db: sqlite3.Connection) -> None:
            _clear(db)
            for room in state.chatrooms:
                _put_room(db, room)
            for trade in state.trades:
                _put_trade(db, trade)
            db.execute(
                "INSERT INTO account VALUES (1, ?, ?)",
                (state.account.model_dump_json(), state.unread_notifications),
            )
            _put_position(db, Position(str(state.epoch), state.pos))

        try:
            await self._run(replace)
        except CopiesLost:
            await self._database.run(replace)

    async def apply(self, epoch: str, changes: Sequence[Change]) -> None:
        """Apply events in order and store the position of the last, in one transaction (R4).

        What another program that shares the file has applied already is left out. Raises
        :class:`CopiesLost` when there are no copies, or others than these events go on from.
        """

        def apply(db: sqlite3.Connection) -> None:
            here = _position(db)
            fresh = following(here, epoch, changes) if here else None
            if fresh is None:
                raise CopiesLost("The copies are not those that these events change.")
            for change in fresh:
                self._apply(db, change)
            if fresh:
                _put_position(db, Position(epoch, fresh[-1].pos))

        await self._write_messages(apply, len(changes))

    def _apply(self, db: sqlite3.Connection, change: Change) -> None:
        match change.data:
            case Message() as message:
                _put_message(db, message)
                after = with_deleted if message.deleted else partial(with_message, me=self._me)
                _change_room(db, message.chatroom_id, lambda room: after(room, message))
            case ReadMark() as mark:
                _change_room(
                    db, mark.chatroom_id, lambda room: with_read_mark(room, mark, self._me)
                )
            case ChatroomDetail() as detail:
                _put_room(db, detail)
            case ListingCard() as card:
                _refresh_listing(db, card)
            case Trade() as trade:
                _put_trade(db, trade)
            case Account() as account:
                db.execute("UPDATE account SET data = ?", (account.model_dump_json(),))
            case Notification(read=False):
                db.execute("UPDATE account SET unread = unread + 1")
            case NotificationsSeen(unread=unread):
                db.execute("UPDATE account SET unread = ?", (unread,))

    async def account(self) -> tuple[Account, int] | None:
        """One's own account and the count of unread notices; None before the first bootstrap."""
        return await self._read(_account, None)

    async def rooms(self) -> list[Chatroom]:
        """Rooms, newest activity first."""
        return await self._read(_rooms, [])

    async def trades(self) -> list[Trade]:
        """The trades of the bootstrap and those that changed since."""
        return await self._read(_trades, [])

    async def messages(
        self, room_id: UUID, *, before: int | None = None, after: int = 0, limit: int = 50
    ) -> list[Message]:
        """The newest copies with ``after < seq < before``, ascending. Holes are to be expected."""
        values = (str(room_id), after, before if before is not None else 2**62, limit)

        def read(db: sqlite3.Connection) -> list[Message]:
            rows = db.execute(
                "SELECT data FROM message WHERE room_id = ? AND seq > ? AND seq < ?"
                " ORDER BY seq DESC LIMIT ?",
                values,
            ).fetchall()
            return _models(Message, reversed(rows))

        return await self._read(read, [])

    async def save_messages(self, messages: Sequence[Message]) -> None:
        """Keep a page of history. A tombstone is never overwritten by an older copy."""

        def save(db: sqlite3.Connection) -> None:
            for message in messages:
                _put_message(db, message)

        with suppress(CopiesLost):
            await self._write_messages(save, len(messages))

    async def listing(self, listing_id: UUID) -> Listing | None:
        """The copy of a listing in full."""

        def read(db: sqlite3.Connection) -> Listing | None:
            rows = db.execute("SELECT data FROM listing WHERE id = ?", (str(listing_id),))
            return next(iter(_models(Listing, rows)), None)

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

        with suppress(CopiesLost):
            await self._run(save)

    async def _read(self, work: Callable[[sqlite3.Connection], Result], none: Result) -> Result:
        """What ``work`` finds; ``none`` when the copies had to be thrown away."""
        try:
            return await self._run(work)
        except CopiesLost:
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
                await self._database.run(_clear_all)
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
        rooms = db.execute(
            "SELECT room_id, count(*) FROM message LEFT JOIN room ON room.id = room_id"
            " GROUP BY room_id ORDER BY max(active_at) DESC"
        ).fetchall()
        for room_id, count in rooms:
            kept = min(count, left, most // 2 if len(rooms) > 1 else most)
            left -= kept
            if kept < count:
                db.execute(
                    "DELETE FROM message WHERE room_id = ? AND seq <="
                    " (SELECT seq FROM message WHERE room_id = ?"
                    " ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                    (room_id, room_id, kept),
                )


def _clear(db: sqlite3.Connection) -> None:
    for table in ("account", "position", "room", "message", "trade"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608


def _clear_all(db: sqlite3.Connection) -> None:
    _clear(db)
    db.execute("DELETE FROM listing")


def _position(db: sqlite3.Connection) -> Position | None:
    row = db.execute("SELECT epoch, pos FROM position").fetchone()
    return Position(*row) if row else None


def _account(db: sqlite3.Connection) -> tuple[Account, int] | None:
    row = db.execute("SELECT data, unread FROM account").fetchone()
    return (Account.model_validate_json(row[0]), row[1]) if row else None


def _rooms(db: sqlite3.Connection) -> list[Chatroom]:
    return _models(Chatroom, db.execute("SELECT data FROM room ORDER BY active_at DESC, id DESC"))


def _trades(db: sqlite3.Connection) -> list[Trade]:
    return _models(Trade, db.execute("SELECT data FROM trade ORDER BY id DESC"))


def _put_position(db: sqlite3.Connection, position: Position) -> None:
    db.execute("INSERT OR REPLACE INTO position VALUES (1, ?, ?)", (position.epoch, position.pos))


def _put_room(db: sqlite3.Connection, room: Chatroom) -> None:
    db.execute(
        "INSERT INTO room VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET active_at = excluded.active_at, last_seq = excluded.last_seq, data = excluded.data"
        " WHERE excluded.last_seq >= last_seq",
        (str(room.id), format_time(room.active_at), room.last_seq, room.model_dump_json()),
    )


def _change_room(
    db: sqlite3.Connection, room_id: UUID, change: Callable[[Chatroom], Chatroom]
) -> None:
    row = db.execute("SELECT data FROM room WHERE id = ?", (str(room_id),)).fetchone()
    if row is not None:
        _put_room(db, change(Chatroom.model_validate_json(row[0])))


def _put_message(db: sqlite3.Connection, message: Message) -> None:
    db.execute(
        "INSERT INTO message VALUES (?, ?, ?, ?) ON CONFLICT (room_id, seq) DO UPDATE"
        " SET deleted = excluded.deleted, data = excluded.data WHERE NOT deleted",
        (str(message.chatroom_id), message.seq, message.deleted, message.model_dump_json()),
    )


def _put_trade(db: sqlite3.Connection, trade: Trade) -> None:
    db.execute(
        "INSERT INTO trade VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET version = excluded.version, data = excluded.data"
        " WHERE excluded.version >= version",
        (str(trade.id), trade.version, trade.model_dump_json()),
    )


def _refresh_listing(db: sqlite3.Connection, card: ListingCard) -> None:
    """A card is not the whole listing: the copy goes, and so do the cards that rooms show."""
    db.execute("DELETE FROM listing WHERE id = ?", (str(card.id),))
    rows = db.execute(
        "SELECT data FROM room WHERE json_extract(data, '$.listing.id') = ?", (str(card.id),)
    ).fetchall()
    for room in _models(Chatroom, rows):
        _put_room(db, room.model_copy(update={"listing": card}))


def _models(model: type[Kept], rows: Iterable[Sequence[str]]) -> list[Kept]:
    return [model.model_validate_json(data) for (data,) in rows]
