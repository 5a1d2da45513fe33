"""Waiting messages as rows: what is in the outbox's file, and how it is written there."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from client_tui.core.errors import NotEditable

SCHEMA: Final = (
    """
    CREATE TABLE message (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        cid TEXT NOT NULL UNIQUE,
        room_id TEXT NOT NULL,
        text TEXT NOT NULL,
        photos TEXT NOT NULL,
        confirmed INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL,
        code TEXT,
        reason TEXT,
        created_at TEXT NOT NULL
    );
    CREATE INDEX message_by_room ON message (room_id, number);
    CREATE TABLE draft (room_id TEXT PRIMARY KEY, text TEXT NOT NULL)
    """,
    """
    ALTER TABLE draft ADD COLUMN photos TEXT NOT NULL DEFAULT '[]';
    CREATE TABLE form (name TEXT PRIMARY KEY, data TEXT NOT NULL)
    """,
    "ALTER TABLE message ADD COLUMN by_command INTEGER NOT NULL DEFAULT 0",
)
COLUMNS: Final = "number, cid, room_id, text, photos, confirmed, state, code, reason, created_at"


class OutboxState(StrEnum):
    """The life of a waiting message."""

    QUEUED = "queued"
    """Never tried: may be edited and discarded."""
    SENDING = "sending"
    """Tried; the server may have it. It is tried again with the same cid until it answers."""
    FAILED = "failed"
    """Refused for good, or given up: may be edited, tried again and discarded."""


@dataclass(frozen=True, slots=True)
class OutboxPhoto:
    """A picture of a waiting message: a path until it is uploaded, then an id as well."""

    path: Path
    """The outbox's own copy, or the file itself where there is none."""
    upload_id: UUID | None = None
    chosen: Path | None = None
    """The file that the copy was made of."""
    failure: str | None = None
    """Why it did not come through the last time, for people."""

    @property
    def origin(self) -> Path:
        """The file as the person named it."""
        return self.chosen or self.path


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message on its way. ``code`` and ``reason`` say why a failed one failed."""

    number: int
    cid: UUID
    room_id: UUID
    text: str
    photos: tuple[OutboxPhoto, ...]
    confirmed: bool
    state: OutboxState
    code: str | None
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxCount:
    """How many messages are still to go by themselves, and how many failed in each room."""

    queued: int = 0
    failed: Mapping[UUID, int] = field(default_factory=dict)


def of_commands(db: sqlite3.Connection, room_id: UUID) -> list[OutboxMessage]:
    """What commands have put in a room and is still to go, in the order it was written."""
    found = db.execute(
        f"SELECT {COLUMNS} FROM message"  # noqa: S608
        " WHERE room_id = ? AND by_command AND state <> 'failed' ORDER BY number",
        (str(room_id),),
    )
    return [message(row) for row in found]


def one(db: sqlite3.Connection, cid: UUID) -> OutboxMessage | None:
    """A message; None when it is gone."""
    found = db.execute(f"SELECT {COLUMNS} FROM message WHERE cid = ?", (str(cid),))  # noqa: S608
    row = found.fetchone()
    return None if row is None else message(row)


def change(
    db: sqlite3.Connection, cid: UUID, changes: str, values: tuple[object, ...]
) -> OutboxMessage | None:
    """Change a message, whatever its state; None when it is gone."""
    db.execute(f"UPDATE message SET {changes} WHERE cid = ?", (*values, str(cid)))  # noqa: S608
    return one(db, cid)


def at_hand(db: sqlite3.Connection, cid: UUID) -> OutboxMessage:
    """A message that may be changed: one that cannot have reached the server."""
    found = one(db, cid)
    if found is None or found.state is OutboxState.SENDING:
        raise NotEditable("This message may already have been sent, so it cannot be changed here.")
    return found


def change_photos(
    db: sqlite3.Connection,
    cid: UUID,
    told: Sequence[OutboxPhoto],
    take: Callable[[OutboxPhoto, OutboxPhoto], OutboxPhoto],
) -> OutboxMessage | None:
    """``take`` over what is told of each picture that is still in the message.

    One may have been taken out since; a picture is known by the file that was chosen.
    """
    here = one(db, cid)
    if here is None:
        return None
    left, photos = list(told), []
    for photo in here.photos:
        known = next((other for other in left if other.origin == photo.origin), None)
        if known is not None:
            left.remove(known)
        photos.append(photo if known is None else take(photo, known))
    return change(db, cid, "photos = ?", (dump(photos),))


def with_upload(photo: OutboxPhoto, told: OutboxPhoto) -> OutboxPhoto:
    """A picture that is uploaded, or did not come through.

    What another program on this machine has uploaded first stays: under one cid goes one content.
    """
    if photo.upload_id is not None:
        return photo
    return replace(photo, upload_id=told.upload_id, failure=told.failure)


def without_upload(photo: OutboxPhoto, told: OutboxPhoto) -> OutboxPhoto:
    """A picture whose upload is gone, unless it was uploaded anew meanwhile."""
    return replace(photo, upload_id=None) if photo.upload_id == told.upload_id else photo


def with_copy(photo: OutboxPhoto, told: OutboxPhoto) -> OutboxPhoto:
    """A picture that has a copy now."""
    return replace(photo, path=told.path, chosen=told.chosen)


def dump(photos: Sequence[OutboxPhoto]) -> str:
    """The pictures of a message as they stand in its row."""
    values = [(one.path, one.upload_id, one.chosen, one.failure) for one in photos]
    return json.dumps([[str(part) if part else None for part in photo] for photo in values])


def _photo(
    path: str, upload_id: str | None, chosen: str | None = None, failure: str | None = None
) -> OutboxPhoto:
    """Earlier versions wrote two values, then three."""
    return OutboxPhoto(
        Path(path),
        UUID(upload_id) if upload_id else None,
        Path(chosen) if chosen else None,
        failure,
    )


def message(row: tuple[object, ...]) -> OutboxMessage:
    """The message in a row of :data:`COLUMNS`."""
    number, cid, room_id, text, photos, confirmed, state, code, reason, created_at = row
    return OutboxMessage(
        number=int(str(number)),
        cid=UUID(str(cid)),
        room_id=UUID(str(room_id)),
        text=str(text),
        photos=tuple(_photo(*values) for values in json.loads(str(photos))),
        confirmed=bool(confirmed),
        state=OutboxState(str(state)),
        code=None if code is None else str(code),
        reason=None if reason is None else str(reason),
        created_at=datetime.fromisoformat(str(created_at)),
    )
