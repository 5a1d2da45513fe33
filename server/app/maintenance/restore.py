"""``picky-server restore``: a backup becomes a market again, in a place where there is none.

The objects come first and the database last, all at once: until then there is nothing that a
server would take for a market.
"""

import asyncio
import mimetypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from server.app.maintenance.manifest import (
    DATABASE,
    OBJECTS,
    Manifest,
    ObjectNote,
    check_files,
    read_index,
    read_manifest,
)
from server.app.maintenance.opening import Refused, open_market, tools
from server.app.maintenance.transfer import for_each
from server.app.settings import Settings
from server.platform import dumps, streams
from server.platform.context import Context
from server.platform.migrate import knows_revision, migrating
from server.platform.object_store import ObjectStore
from server.platform.unit_of_work import UnitOfWork

_ANY_TYPE = "application/octet-stream"


async def restore(settings: Settings, folder: Path) -> Manifest:
    """Restore a backup into the empty place of these settings; what it held.

    Raises :class:`Refused`, and leaves the place as empty as it was then.
    """
    manifest = read_manifest(folder)
    _check_fit(settings, manifest)
    with _as_it_was(settings.data_dir):
        await _restore(settings, folder, manifest)
    return manifest


async def _restore(settings: Settings, folder: Path, manifest: Manifest) -> None:
    async with tools(settings) as context:
        await dumps.check_target(context, settings.effective_database_url)
        await asyncio.to_thread(check_files, folder, manifest)
        await Restore(context, settings, folder, manifest).run()


@contextmanager
def _as_it_was(data_dir: Path) -> Iterator[None]:
    """Take back what any command makes in a data dir, when it was not to be used after all."""
    store = data_dir / "object-store"
    made = [
        path for path in (data_dir / "secret.key", store / "credentials.json") if not path.exists()
    ]
    folders = [path for path in (store, data_dir, *data_dir.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        for path in made:
            with suppress(OSError):  # it was not made, as nothing can be there
                path.unlink()
        if store in folders:
            folders = [*(Path(below) for below, *_ in os.walk(store, topdown=False)), *folders]
        for folder in folders:
            with suppress(OSError):  # what is in it was not made here
                folder.rmdir()
        raise


async def renew_epochs(settings: Settings) -> int:
    """New epochs for a database that was restored by other means; how many streams it has."""
    async with open_market(settings) as context, migrating(context.database) as connection:
        return await streams.renew_epochs(UnitOfWork(context, connection, None))


def _check_fit(settings: Settings, manifest: Manifest) -> None:
    is_file = dumps.sqlite_file(settings.effective_database_url) is not None
    engine = "sqlite" if is_file else "postgresql"
    if engine != manifest.engine:
        raise Refused(
            f"the backup is of {manifest.engine}, and these settings name {engine}: "
            "PICKY_DATABASE_URL says which database is used"
        )
    if not knows_revision(manifest.revision):
        raise Refused(
            f"the backup's schema {manifest.revision} is newer than this picky-server: restore it "
            f"with version {manifest.picky} or a newer one"
        )


@dataclass(slots=True)
class Restore:
    """One restore under way."""

    context: Context
    settings: Settings
    folder: Path
    manifest: Manifest
    _added: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Everything, in order; what was begun is taken back when it fails."""
        there = await self._what_is_there()
        try:
            await for_each(
                read_index(self.folder), lambda note: self._put(note, is_new=note.key not in there)
            )
            dump = dumps.Dump(self.folder / DATABASE, self.manifest.revision, self.manifest.rows)
            await dumps.restore(self.context, self.settings.effective_database_url, dump)
        except BaseException:
            await for_each(self._added, self._store.delete)
            raise

    @property
    def _store(self) -> ObjectStore:
        return self.context.wiring.port(ObjectStore)

    async def _what_is_there(self) -> set[str]:
        """The keys in the store: none, or those that a restore left which was killed."""
        there = {key async for key in self._store.list_keys()}
        foreign = there - {note.key for note in read_index(self.folder)} if there else set()
        if foreign:
            raise Refused(
                f"the object store is not empty: {min(foreign)} is not of this backup. "
                "Name an empty one in PICKY_OBJECT_STORE_URL, or another --data-dir"
            )
        return there

    async def _put(self, note: ObjectNote, *, is_new: bool) -> None:
        if is_new:
            self._added.append(note.key)
        kind = mimetypes.guess_type(note.key)[0] or _ANY_TYPE
        await self._store.put(note.key, self.folder / OBJECTS / note.key, content_type=kind)
