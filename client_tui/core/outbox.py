"""Messages on disk from the moment they are written until the server has them.

The outbox is all there is of a message before its ``ok``: nothing leaves it before that, and what
has been tried once keeps its ``cid``, so that a lost answer never doubles it.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from client_tui.core import outbox_rows as rows
from client_tui.core.clock import Clock, SystemClock
from client_tui.core.database import Database
from client_tui.core.drafts import Drafts
from client_tui.core.errors import StorageFailed
from client_tui.core.kept_photos import KEPT_BYTES_MAX, KeptPhotos
from client_tui.core.locks import Claims
from client_tui.core.outbox_rows import OutboxCount, OutboxMessage, OutboxPhoto, OutboxState

__all__ = ["Outbox", "OutboxCount", "OutboxMessage", "OutboxPhoto", "OutboxState"]


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
        self._database = Database(path, rows.SCHEMA, synchronous="FULL")
        self._claims = Claims(path.with_suffix(".lock"))
        """What this program sends as a command."""
        self._photos = KeptPhotos(path.with_name("outbox-photos"), bytes_max=photo_bytes_max)
        self._clock = clock or SystemClock()
        self.drafts = Drafts(self._database)
        self._held: set[str] = set()
        """What is being edited here; nobody edits it any more when this program has ended."""
        self._copying: set[str] = set()
        """Whose pictures are being copied; what an end of the program stops is done at the next."""
        self._version: int | None = None

    async def open(self) -> "Outbox":
        """Open the file, with all that waited when the last program ended."""
        await self._database.open()
        await self.changed_elsewhere()
        waiting = await self.waiting()
        await self._photos.sweep([message.cid for message in waiting])
        for message in waiting:
            if message.photos and not any(photo.chosen for photo in message.photos):
                await self._with_copies(message)
        return self

    async def changed_elsewhere(self) -> bool:
        """Whether another program has written to it since this was asked the last time."""
        before, self._version = self._version, await self._database.version()
        return before is not None and before != self._version

    async def close(self) -> None:
        """Finish what was begun, then close."""
        await self._database.close()
        self._claims.close()

    async def put(
        self,
        room_id: UUID,
        text: str,
        photos: Sequence[Path] = (),
        *,
        confirmed: bool = False,
        clears_draft: bool = False,
        by_command: bool = False,
        written: Callable[[OutboxMessage], None] = lambda _: None,
    ) -> OutboxMessage:
        """Write a new message; when this returns it survives a power cut, pictures and all.

        If it was the room's draft, that is gone in the same moment: ``clears_draft``. One
        ``by_command`` is that command's before another can see it.

        Its place in the room is that of the call. It is ``written`` as soon as it is on disk; the
        copying of its pictures may take longer, and until then it does not go. With the copies it
        is ``written`` once more, unless it was discarded meanwhile.
        """
        cid = uuid4()
        if photos:
            self._copying.add(str(cid))
        try:
            pictures = [OutboxPhoto(path.absolute()) for path in photos]
            insert = partial(
                self._insert,
                cid,
                room_id,
                text,
                pictures,
                confirmed=confirmed,
                by_command=by_command,
            )
            if clears_draft:
                message = await self.drafts.replaced_by(room_id, insert)
            else:
                message = await self._database.run(insert)
            written(message)
            if not pictures:
                return message
            copied = await self._with_copies(message)
            if copied is not None:
                written(copied)
            return copied or message
        finally:
            self._copying.discard(str(cid))

    async def put_for_command(
        self, room_id: UUID, text: str, photos: Sequence[Path] = (), *, confirmed: bool = False
    ) -> OutboxMessage:
        """The same message from a command that has ended without an answer, or else a new one.

        What another command is sending now is a message of its own, however alike, and so is what
        the app has. This program has the message until it closes the outbox or ends in any way.
        """
        paths = [path.absolute() for path in photos]

        def take_left(db: sqlite3.Connection) -> OutboxMessage | None:
            for left in rows.of_commands(db, room_id):
                same = left.text == text and [photo.origin for photo in left.photos] == paths
                if same and self._claims.take(left.number):
                    return left
            return None

        left = await self._database.run(take_left)
        return left or await self.put(room_id, text, photos, confirmed=confirmed, by_command=True)

    async def take(self, cid: UUID) -> OutboxMessage | None:
        """A waiting message for this command to send, until it closes the outbox or ends. None:
        another command is sending it now, or it waits no more.
        """

        def take(db: sqlite3.Connection) -> OutboxMessage | None:
            here = rows.one(db, cid)
            waits = here is not None and here.state is not OutboxState.FAILED
            return here if here and waits and self._claims.take(here.number) else None

        return await self._database.run(take)

    def _insert(
        self,
        cid: UUID,
        room_id: UUID,
        text: str,
        pictures: Sequence[OutboxPhoto],
        db: sqlite3.Connection,
        *,
        confirmed: bool,
        by_command: bool,
    ) -> OutboxMessage:
        now = self._clock.now().isoformat()
        values = (str(cid), str(room_id), text, rows.dump(pictures), confirmed, by_command, now)
        db.execute(
            "INSERT INTO message"
            " (cid, room_id, text, photos, confirmed, by_command, created_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'queued')",
            values,
        )
        new = rows.at_hand(db, cid)
        if by_command:
            self._claims.take(new.number)
        return new

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
            changed = await self._database.run(
                lambda db: rows.change_photos(db, message.cid, copies, rows.with_copy)
            )
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
                rows.message(row)
                for row in db.execute(
                    f"SELECT {rows.COLUMNS} FROM message {where} ORDER BY number",  # noqa: S608
                    values,
                )
            ]
        )

    async def count(self) -> OutboxCount:
        """How many messages wait, and how many do not go by themselves any more."""
        found = await self._database.run(
            lambda db: db.execute(
                "SELECT room_id, sum(state <> 'failed'), sum(state = 'failed') FROM message"
                " GROUP BY room_id"
            ).fetchall()
        )
        return OutboxCount(
            queued=sum(queued for _, queued, _ in found),
            failed={UUID(room_id): failed for room_id, _, failed in found if failed},
        )

    async def rooms(self) -> list[UUID]:
        """The rooms in which something is to be sent."""
        found = await self._database.run(
            lambda db: db.execute(
                "SELECT room_id, cid, min(number) FROM message"
                " WHERE state <> 'failed' GROUP BY room_id"
            ).fetchall()
        )
        return [UUID(room_id) for room_id, cid, _ in found if not self._stays(cid)]

    def _stays(self, cid: str) -> bool:
        return cid in self._held or cid in self._copying

    async def next(self, room_id: UUID) -> OutboxMessage | None:
        """What is to be sent next in a room; failed ones stand aside, a held one holds the rest."""
        found = await self._database.run(
            lambda db: db.execute(
                f"SELECT {rows.COLUMNS} FROM message"  # noqa: S608
                " WHERE room_id = ? AND state <> 'failed' ORDER BY number LIMIT 1",
                (str(room_id),),
            ).fetchone()
        )
        message = rows.message(found) if found else None
        return None if message is None or self._stays(str(message.cid)) else message

    async def hold(self, cid: UUID) -> OutboxMessage:
        """Keep it back while it is edited; :class:`NotEditable` as for :meth:`edit`."""
        self._held.add(str(cid))
        try:
            return await self._database.run(lambda db: rows.at_hand(db, cid))
        except BaseException:
            self.release(cid)
            raise

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

    async def take_out(self, cid: UUID, photo: OutboxPhoto) -> OutboxMessage:
        """A queued or failed message without one of its pictures; as after :meth:`edit` it is
        queued, unless another picture of it did not come through either.
        """

        def take_out(db: sqlite3.Connection) -> OutboxMessage:
            here = rows.at_hand(db, cid)
            photos = list(here.photos)
            same = [one for one in photos if one.origin == photo.origin]
            if same:  # the one that is meant, if it was not copied meanwhile
                photos.remove(next((one for one in same if one.path == photo.path), same[0]))
            failure = next((one.failure for one in photos if one.failure), None)
            rows.change(db, cid, "photos = ?, reason = ?", (rows.dump(photos), failure))
            if here.state is not OutboxState.FAILED or failure is None:
                rows.change(db, cid, "state = 'queued', code = NULL", ())
            return rows.at_hand(db, cid)

        return await self._database.run(take_out)

    async def discard(self, cid: UUID) -> None:
        """Throw a queued or failed message away; :class:`NotEditable` as for :meth:`edit`."""

        def delete(db: sqlite3.Connection) -> None:
            rows.at_hand(db, cid)
            db.execute("DELETE FROM message WHERE cid = ?", (str(cid),))

        await self._database.run(delete)
        await self._photos.drop(cid)

    async def uploaded(self, cid: UUID, photos: Sequence[OutboxPhoto]) -> OutboxMessage | None:
        """Remember which pictures are uploaded and which did not come through, for the time after a
        restart. The message as it is now; None: it is gone.
        """
        return await self._database.run(
            lambda db: rows.change_photos(db, cid, photos, rows.with_upload)
        )

    async def forget_uploads(self, cid: UUID, photos: Sequence[OutboxPhoto]) -> None:
        """The server no longer has what these pictures were uploaded as."""
        await self._database.run(
            lambda db: rows.change_photos(db, cid, photos, rows.without_upload)
        )

    async def sending(self, cid: UUID) -> OutboxMessage | None:
        """The message as it is to leave now; None when it was discarded, sent or held meanwhile.

        On disk before the first byte: afterwards nobody can change what the server may have.
        """

        def leave(db: sqlite3.Connection) -> OutboxMessage | None:
            return None if self._stays(str(cid)) else rows.change(db, cid, "state = 'sending'", ())

        return await self._database.run(leave)

    async def not_stored(self, cid: UUID) -> OutboxMessage | None:
        """The server said that it stored nothing and that a later try may work. None: gone."""
        return await self._update(cid, "state = 'queued'", ())

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
        return await self._database.run(lambda db: rows.change(db, cid, change, values))

    async def _change(self, cid: UUID, change: str, values: tuple[object, ...]) -> OutboxMessage:
        def update(db: sqlite3.Connection) -> OutboxMessage:
            rows.at_hand(db, cid)
            rows.change(db, cid, change, values)
            return rows.at_hand(db, cid)

        return await self._database.run(update)
