"""Messages on disk from the moment they are written until the server has them.

The outbox is all there is of a message before its ``ok``: nothing leaves it before that, and what
has been tried once keeps its ``cid``, so that a lost answer never doubles it.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID, uuid4

from client_tui.core.clock import Clock, SystemClock
from client_tui.core.database import Database
from client_tui.core.drafts import Drafts
from client_tui.core.errors import NotEditable, StorageFailed
from client_tui.core.kept_photos import KEPT_BYTES_MAX, KeptPhotos

_SCHEMA = (
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
)
_COLUMNS = "number, cid, room_id, text, photos, confirmed, state, code, reason, created_at"


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


class Outbox:
    """The waiting messages of one account; order is kept within a room."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock | None = None,
        photo_bytes_max: int = KEPT_BYTES_MAX,
    ) -> None:
        """``photo_bytes_max`` is how much disk the copies of pictures may take."""
        self._database = Database(path, _SCHEMA, synchronous="FULL")
        self._photos = KeptPhotos(path.with_name("outbox-photos"), bytes_max=photo_bytes_max)
        self._clock = clock or SystemClock()
        self.drafts = Drafts(self._database)
        self._held: set[str] = set()
        """What is being edited here; nobody edits it any more when this program has ended."""
        self._copying: set[str] = set()
        """Whose pictures are being copied; after an end of the program the files themselves go."""

    async def open(self) -> "Outbox":
        """Open the file, with all that waited when the last program ended."""
        await self._database.open()
        await self._photos.sweep([waiting.cid for waiting in await self.waiting()])
        return self

    async def close(self) -> None:
        """Finish what was begun, then close."""
        await self._database.close()

    async def put(
        self,
        room_id: UUID,
        text: str,
        photos: Sequence[Path] = (),
        *,
        confirmed: bool = False,
        written: Callable[[OutboxMessage], None] = lambda _: None,
    ) -> OutboxMessage:
        """Write a new message; when this returns it survives a power cut, pictures and all.

        Its place in the room is that of the call. It is ``written`` as soon as it is on disk; the
        copying of its pictures may take longer, and until then it does not go. With the copies it
        is ``written`` once more, unless it was discarded meanwhile.
        """
        cid = uuid4()
        if photos:
            self._copying.add(str(cid))
        try:
            pictures = [OutboxPhoto(path.absolute()) for path in photos]
            message = await self._insert(cid, room_id, text, pictures, confirmed=confirmed)
            written(message)
            if not pictures:
                return message
            copied = await self._with_copies(message)
            if copied is not None:
                written(copied)
            return copied or message
        finally:
            self._copying.discard(str(cid))

    async def _insert(
        self,
        cid: UUID,
        room_id: UUID,
        text: str,
        pictures: Sequence[OutboxPhoto],
        *,
        confirmed: bool,
    ) -> OutboxMessage:
        now = self._clock.now().isoformat()
        values = (str(cid), str(room_id), text, _dump(pictures), confirmed, now)

        def insert(db: sqlite3.Connection) -> OutboxMessage:
            db.execute(
                "INSERT INTO message (cid, room_id, text, photos, confirmed, created_at, state)"
                " VALUES (?, ?, ?, ?, ?, ?, 'queued')",
                values,
            )
            return _one(db, cid)

        return await self._database.run(insert)

    async def _with_copies(self, message: OutboxMessage) -> OutboxMessage | None:
        """The message with copies of its pictures; None when it was discarded meanwhile, or on a
        full disk, where the files themselves go.
        """
        try:
            files = await self._photos.keep(message.cid, [photo.path for photo in message.photos])
            copies = [
                replace(photo, path=file, chosen=photo.path) if file != photo.path else photo
                for photo, file in zip(message.photos, files, strict=True)
            ]
            changed = await self._update(message.cid, "photos = ?", (_dump(copies),))
        except StorageFailed:
            return None
        if changed is None:  # discarded meanwhile
            await self._photos.drop(message.cid)
        return changed

    async def waiting(self, room_id: UUID | None = None) -> list[OutboxMessage]:
        """All messages (of a room), in the order they were written, failed ones among them."""
        where, values = ("WHERE room_id = ?", (str(room_id),)) if room_id else ("", ())
        return await self._database.run(
            lambda db: [
                _message(row)
                for row in db.execute(
                    f"SELECT {_COLUMNS} FROM message {where} ORDER BY number",  # noqa: S608
                    values,
                )
            ]
        )

    async def rooms(self) -> list[UUID]:
        """The rooms in which something is to be sent."""
        rows = await self._database.run(
            lambda db: db.execute(
                "SELECT room_id, cid, min(number) FROM message"
                " WHERE state <> 'failed' GROUP BY room_id"
            ).fetchall()
        )
        return [UUID(room_id) for room_id, cid, _ in rows if not self._stays(cid)]

    def _stays(self, cid: str) -> bool:
        return cid in self._held or cid in self._copying

    async def next(self, room_id: UUID) -> OutboxMessage | None:
        """What is to be sent next in a room; failed ones stand aside, a held one holds the rest."""
        rows = await self._database.run(
            lambda db: db.execute(
                f"SELECT {_COLUMNS} FROM message"  # noqa: S608
                " WHERE room_id = ? AND state <> 'failed' ORDER BY number LIMIT 1",
                (str(room_id),),
            ).fetchall()
        )
        message = _message(rows[0]) if rows else None
        return None if message is None or self._stays(str(message.cid)) else message

    async def hold(self, cid: UUID) -> None:
        """Keep it back while it is edited; :class:`NotEditable` as for :meth:`edit`."""

        def hold(db: sqlite3.Connection) -> None:
            found = db.execute(
                "SELECT 1 FROM message WHERE cid = ? AND state <> 'sending'", (str(cid),)
            )
            _require(len(found.fetchall()))
            self._held.add(str(cid))

        await self._database.run(hold)

    def release(self, cid: UUID) -> None:
        """It is edited no more, and may go."""
        self._held.discard(str(cid))

    async def edit(self, cid: UUID, text: str, *, confirmed: bool = False) -> OutboxMessage:
        """Change a queued or failed message; it is queued afterwards, in its old place.

        Raises :class:`NotEditable` once it may have reached the server.
        """
        return await self._change(
            cid, "text = ?, confirmed = ?, state = 'queued', code = NULL", (text, confirmed)
        )

    async def retry(self, cid: UUID, *, confirmed: bool = False) -> OutboxMessage:
        """Queue a failed message again; ``confirmed`` answers a question of the scam guard."""
        return await self._change(
            cid, "confirmed = ?, state = 'queued', code = NULL, reason = NULL", (confirmed,)
        )

    async def discard(self, cid: UUID) -> None:
        """Throw a queued or failed message away; :class:`NotEditable` as for :meth:`edit`."""

        def delete(db: sqlite3.Connection) -> None:
            done = db.execute(
                "DELETE FROM message WHERE cid = ? AND state <> 'sending'", (str(cid),)
            )
            _require(done.rowcount)

        await self._database.run(delete)
        await self._photos.drop(cid)

    async def uploaded(self, cid: UUID, photos: Sequence[OutboxPhoto]) -> None:
        """Remember which pictures are uploaded (or no longer), for the time after a restart."""
        await self._update(cid, "photos = ?", (_dump(photos),))

    async def sending(self, cid: UUID) -> OutboxMessage | None:
        """The message as it is to leave now; None when it was discarded, sent or held meanwhile.

        On disk before the first byte: afterwards nobody can change what the server may have.
        """

        def leave(db: sqlite3.Connection) -> OutboxMessage | None:
            return None if self._stays(str(cid)) else _set(db, cid, "state = 'sending'", ())

        return await self._database.run(leave)

    async def not_stored(self, cid: UUID) -> None:
        """The server said that it stored nothing and that a later try may work."""
        await self._update(cid, "state = 'queued'", ())

    async def failed(self, cid: UUID, code: str, reason: str) -> OutboxMessage | None:
        """The server refused it for good, or it cannot be sent at all. None: it is gone."""
        return await self._update(cid, "state = 'failed', code = ?, reason = ?", (code, reason))

    async def done(self, cid: UUID) -> None:
        """The server has it."""
        await self._database.run(
            lambda db: db.execute("DELETE FROM message WHERE cid = ?", (str(cid),)).rowcount
        )
        await self._photos.drop(cid)

    async def _update(
        self, cid: UUID, change: str, values: tuple[object, ...]
    ) -> OutboxMessage | None:
        return await self._database.run(lambda db: _set(db, cid, change, values))

    async def _change(self, cid: UUID, change: str, values: tuple[object, ...]) -> OutboxMessage:
        def update(db: sqlite3.Connection) -> OutboxMessage:
            done = db.execute(
                f"UPDATE message SET {change} WHERE cid = ? AND state <> 'sending'",  # noqa: S608
                (*values, str(cid)),
            )
            _require(done.rowcount)
            return _one(db, cid)

        return await self._database.run(update)


def _set(
    db: sqlite3.Connection, cid: UUID, change: str, values: tuple[object, ...]
) -> OutboxMessage | None:
    done = db.execute(
        f"UPDATE message SET {change} WHERE cid = ?",  # noqa: S608
        (*values, str(cid)),
    )
    return _one(db, cid) if done.rowcount else None


def _require(changed: int) -> None:
    if not changed:
        raise NotEditable("This message may already have been sent, so it cannot be changed here.")


def _one(db: sqlite3.Connection, cid: UUID) -> OutboxMessage:
    row = db.execute(
        f"SELECT {_COLUMNS} FROM message WHERE cid = ?",  # noqa: S608
        (str(cid),),
    )
    return _message(row.fetchone())


def _dump(photos: Sequence[OutboxPhoto]) -> str:
    return json.dumps(
        [
            [str(value) if value else None for value in (photo.path, photo.upload_id, photo.chosen)]
            for photo in photos
        ]
    )


def _photo(path: str, upload_id: str | None, chosen: str | None = None) -> OutboxPhoto:
    """Versions without copies wrote two values."""
    return OutboxPhoto(
        Path(path), UUID(upload_id) if upload_id else None, Path(chosen) if chosen else None
    )


def _message(row: tuple[object, ...]) -> OutboxMessage:
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
