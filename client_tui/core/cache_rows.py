"""The rows of the copies on disk; every function works within somebody else's transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from client_tui.core.changes import Position
from client_tui.core.rooms import newer
from shared_models.accounts import Account
from shared_models.base import Wire, format_time
from shared_models.chat import Chatroom, Message
from shared_models.listings import ListingCard
from shared_models.trades import Trade

Kept = TypeVar("Kept", bound=Wire)


def clear(db: sqlite3.Connection) -> None:
    """Remove everything but listings."""
    for table in ("account", "position", "room", "message", "trade"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608


def clear_all(db: sqlite3.Connection) -> None:
    """Remove everything."""
    clear(db)
    db.execute("DELETE FROM listing")


def position(db: sqlite3.Connection) -> Position | None:
    """How far the stream is applied."""
    row = db.execute("SELECT epoch, pos FROM position").fetchone()
    return Position(*row) if row else None


def account(db: sqlite3.Connection) -> tuple[Account, int] | None:
    """One's own account and the count of unread notices."""
    row = db.execute("SELECT data, unread FROM account").fetchone()
    return (Account.model_validate_json(row[0]), row[1]) if row else None


def rooms(db: sqlite3.Connection) -> list[Chatroom]:
    """Newest activity first."""
    return models(Chatroom, db.execute("SELECT data FROM room ORDER BY active_at DESC, id DESC"))


def trades(db: sqlite3.Connection) -> list[Trade]:
    """Newest first."""
    return models(Trade, db.execute("SELECT data FROM trade ORDER BY id DESC"))


def put_position(db: sqlite3.Connection, position: Position) -> None:
    """Keep how far the stream is applied."""
    db.execute("INSERT OR REPLACE INTO position VALUES (1, ?, ?)", (position.epoch, position.pos))


def put_room(db: sqlite3.Connection, room: Chatroom) -> None:
    """Keep a room as it is now."""
    db.execute(
        "INSERT INTO room VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET active_at = excluded.active_at, last_seq = excluded.last_seq, data = excluded.data",
        (str(room.id), format_time(room.active_at), room.last_seq, room.model_dump_json()),
    )


def put_read_room(db: sqlite3.Connection, room: Chatroom) -> None:
    """Keep a room as the server told it; what is known to be newer stays.

    What was said in one that was left is hidden from then on (rule 15).
    """
    put_room(db, newer(_room(db, room.id), room))
    if room.left:
        db.execute("DELETE FROM message WHERE room_id = ?", (str(room.id),))


def change_room(
    db: sqlite3.Connection, room_id: UUID, change: Callable[[Chatroom], Chatroom]
) -> None:
    """Change the copy of a room if there is one."""
    room = _room(db, room_id)
    if room is not None:
        put_room(db, change(room))


def _room(db: sqlite3.Connection, room_id: UUID) -> Chatroom | None:
    rows = db.execute("SELECT data FROM room WHERE id = ?", (str(room_id),))
    return next(iter(models(Chatroom, rows)), None)


def put_message(db: sqlite3.Connection, message: Message) -> None:
    """Keep a message; a tombstone is never overwritten by an older copy."""
    db.execute(
        "INSERT INTO message VALUES (?, ?, ?, ?) ON CONFLICT (room_id, seq) DO UPDATE"
        " SET deleted = excluded.deleted, data = excluded.data WHERE NOT deleted",
        (str(message.chatroom_id), message.seq, message.deleted, message.model_dump_json()),
    )


def put_trade(db: sqlite3.Connection, trade: Trade) -> None:
    """Keep a trade; an older version is ignored."""
    db.execute(
        "INSERT INTO trade VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET version = excluded.version, data = excluded.data"
        " WHERE excluded.version >= version",
        (str(trade.id), trade.version, trade.model_dump_json()),
    )


def refresh_listing(db: sqlite3.Connection, card: ListingCard) -> None:
    """A card is not the whole listing: the copy goes, and so do the cards that rooms show."""
    db.execute("DELETE FROM listing WHERE id = ?", (str(card.id),))
    rows = db.execute(
        "SELECT data FROM room WHERE json_extract(data, '$.listing.id') = ?", (str(card.id),)
    ).fetchall()
    for room in models(Chatroom, rows):
        put_room(db, room.model_copy(update={"listing": card}))


def models(model: type[Kept], rows: Iterable[Sequence[str]]) -> list[Kept]:
    """What rows of one column hold; raises ``ValidationError``."""
    return [model.model_validate_json(data) for (data,) in rows]
