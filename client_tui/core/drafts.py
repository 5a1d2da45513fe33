"""What was begun and is not sent: a text and photos for each room, and the form of a listing."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from client_tui.core.database import Database, Result


@dataclass(frozen=True, slots=True)
class Draft:
    """What was written in a room, and the pictures that were to go with it."""

    text: str = ""
    photos: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.text or self.photos)

    def before(self, since: "Draft") -> "Draft":
        """This one, and below it what was written since."""
        text = f"{self.text}\n{since.text}" if self.text and since.text else self.text or since.text
        return Draft(text, (*self.photos, *since.photos))


class Drafts:
    """Drafts in the file of an outbox. What the disk does not take is kept in memory meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._not_on_disk: dict[UUID, Draft] = {}

    async def read(self, room_id: UUID) -> Draft:
        """What was begun in a room."""
        if room_id in self._not_on_disk:
            return self._not_on_disk[room_id]
        rows = await self._database.run(
            lambda db: db.execute(
                "SELECT text, photos FROM draft WHERE room_id = ?", (str(room_id),)
            ).fetchall()
        )
        return _draft(*rows[0]) if rows else Draft()

    async def save(self, room_id: UUID, draft: Draft) -> None:
        """Keep it; an empty one is forgotten. Raises :class:`StorageFailed`."""
        self._not_on_disk[room_id] = draft
        photos = json.dumps([str(path.absolute()) for path in draft.photos])

        def save(db: sqlite3.Connection) -> None:
            _forget(db, room_id)
            if draft:
                db.execute("INSERT INTO draft VALUES (?, ?, ?)", (str(room_id), draft.text, photos))

        await self._database.run(save)
        if self._not_on_disk.get(room_id) is draft:
            del self._not_on_disk[room_id]

    async def replaced_by(
        self, room_id: UUID, write: Callable[[sqlite3.Connection], Result]
    ) -> Result:
        """Write what the draft has become and forget the draft, in one transaction."""
        known = self._not_on_disk.get(room_id)

        def replace(db: sqlite3.Connection) -> Result:
            _forget(db, room_id)
            return write(db)

        written = await self._database.run(replace)
        if known is not None and self._not_on_disk.get(room_id) is known:
            del self._not_on_disk[room_id]
        return written

    async def read_form(self, name: str) -> dict[str, Any] | None:
        """A form as it was left without being saved; None when there is none."""
        rows = await self._database.run(
            lambda db: db.execute("SELECT data FROM form WHERE name = ?", (name,)).fetchall()
        )
        return dict(json.loads(rows[0][0])) if rows else None

    async def save_form(self, name: str, form: dict[str, Any] | None) -> None:
        """Keep a form that is not on the server; None forgets it."""

        def save(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM form WHERE name = ?", (name,))
            if form is not None:
                db.execute("INSERT INTO form VALUES (?, ?)", (name, json.dumps(form)))

        await self._database.run(save)


def _forget(db: sqlite3.Connection, room_id: UUID) -> None:
    db.execute("DELETE FROM draft WHERE room_id = ?", (str(room_id),))


def _draft(text: str, photos: str) -> Draft:
    return Draft(text, tuple(Path(path) for path in json.loads(photos)))
