"""``picky-server backup``: the database as of one moment, and every object it speaks of.

The database comes first and the objects after it. An object never changes under its key, so all
that can go wrong is that one is deleted between the two: jobs that delete wait meanwhile, and
what the database speaks of is compared with what was copied.
"""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from server.accounts import api as accounts
from server.app.background import deleting
from server.app.maintenance.manifest import (
    DATABASE,
    FORMAT,
    INDEX,
    MANIFEST,
    OBJECTS,
    FileNote,
    Manifest,
    ObjectNote,
    note_of,
)
from server.app.maintenance.opening import Refused, open_market
from server.app.maintenance.transfer import for_each
from server.app.settings import Settings
from server.app.version import picky_version
from server.media import api as media
from server.platform.context import Context
from server.platform.disk import sync, sync_all
from server.platform.dumps import count_rows, dumped
from server.platform.holding import objects_held
from server.platform.migrate import revision_of
from server.platform.object_store import OBJECT_KEY, ObjectNotFound, ObjectStore
from server.platform.unit_of_work import UnitOfWork

_WANTED = "wanted"
"""The keys that the database speaks of, while the backup is made."""

_UNFINISHED = "-unfinished-"


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds, and what could not be in it: keys of the store's that are missing."""

    manifest: Manifest
    missing: list[str]


async def back_up(settings: Settings, folder: Path) -> BackedUp:
    """Make a backup beside ``folder`` and give it that name when it is whole.

    The server may run meanwhile. Raises :class:`Refused`, and leaves nothing then.
    """
    folder = await asyncio.to_thread(folder.resolve)
    data_dir = await asyncio.to_thread(settings.data_dir.resolve)
    if folder.is_relative_to(data_dir):
        raise Refused(f"{folder} is in the data dir, and would be lost with it: name another place")
    unfinished = _begin(folder)
    try:
        async with open_market(settings) as context:
            made = await Backup(context, settings, unfinished).make()
        await asyncio.to_thread(_name, unfinished, folder)
    finally:
        await asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True)
    return made


def left_behind(folder: Path) -> list[Path]:
    """What backups that were killed have left where this one is to be, or such as are under way."""
    try:
        found = folder.resolve().parent.glob(f".*{_UNFINISHED}*")
        return sorted(path for path in found if path.is_dir())
    except OSError:  # then nothing can be made there either, which is told
        return []


def _name(unfinished: Path, folder: Path) -> None:
    """Give a backup its name once all of it is on the disk: a folder of that name is a whole one,
    also after a power cut.
    """
    try:
        sync_all(unfinished)
        unfinished.replace(folder)
        sync(folder.parent)
    except OSError as error:
        raise Refused(f"{folder} cannot be made: {error.strerror}") from error


def _begin(folder: Path) -> Path:
    """A folder to make the backup in; only its owner may look into it."""
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Refused(f"{folder} is there already and not empty: name a new folder")
        if what := _irreplaceable(folder):
            raise Refused(f"{folder} is {what}, which cannot be replaced: name a new folder in it")
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}{_UNFINISHED}"))
    except OSError as error:
        raise Refused(f"{folder} cannot be made: {error.strerror}") from error


def _irreplaceable(folder: Path) -> str | None:
    """Why a whole backup could not take the place of an empty folder."""
    if not folder.exists():
        return None
    if folder.samefile(Path.cwd()):
        return "the current folder"
    return "where a disk is mounted" if folder.is_mount() else None


@dataclass(slots=True)
class Backup:
    """One backup while it is made in a folder of its own."""

    context: Context
    settings: Settings
    folder: Path
    _notes: list[ObjectNote] = field(default_factory=list)

    async def make(self) -> BackedUp:
        """Everything, in order."""
        async with objects_held(self.context, deleting()):
            made_at = self.context.clock.now()
            url = self.settings.effective_database_url
            async with dumped(self.context, url, self.folder / DATABASE) as work:
                revision = await work.connection.run_sync(revision_of)
                if revision is None:
                    raise Refused("the database is empty: there is nothing to back up")
                rows = await count_rows(work.connection)
                await self._note_wanted(work)
            await self._copy_objects()
        missing = await asyncio.to_thread(self._missing)
        manifest = Manifest(
            format=FORMAT,
            picky=picky_version(),
            made_at=made_at,
            engine="sqlite" if self.context.database.is_sqlite else "postgresql",
            revision=revision,
            rows=rows,
            database=await asyncio.to_thread(note_of, self.folder / DATABASE),
            index=await asyncio.to_thread(self._write_index),
            objects=len(self._notes),
            object_bytes=sum(note.size for note in self._notes),
            missing=len(missing),
        )
        (self.folder / MANIFEST).write_text(manifest.model_dump_json(indent=2), "utf-8")
        return BackedUp(manifest, missing)

    async def _note_wanted(self, work: UnitOfWork) -> None:
        with (self.folder / _WANTED).open("w", encoding="utf-8") as file:
            for keys in (media.stored_keys(work), accounts.stored_keys(work)):
                async for key in keys:
                    file.write(f"{key}\n")

    async def _copy_objects(self) -> None:
        store = self.context.wiring.port(ObjectStore)
        (self.folder / OBJECTS).mkdir(mode=0o700)
        keys = [key async for key in store.list_keys() if OBJECT_KEY.fullmatch(key)]
        await for_each(keys, self._copy)

    async def _copy(self, key: str) -> None:
        target = self.folder / OBJECTS / key
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            await self.context.wiring.port(ObjectStore).download(key, target)
        except ObjectNotFound:  # nobody speaks of it, or it is told as missing
            return
        note = await asyncio.to_thread(note_of, target)
        self._notes.append(ObjectNote(key=key, size=note.size, sha256=note.sha256))

    def _missing(self) -> list[str]:
        wanted = self.folder / _WANTED
        with wanted.open(encoding="utf-8") as lines:
            keys = [line.rstrip("\n") for line in lines]
        wanted.unlink()
        return [key for key in keys if not (self.folder / OBJECTS / key).is_file()]

    def _write_index(self) -> FileNote:
        path = self.folder / INDEX
        with path.open("w", encoding="utf-8") as file:
            file.writelines(
                f"{note.model_dump_json()}\n" for note in sorted(self._notes, key=lambda n: n.key)
            )
        return note_of(path)
