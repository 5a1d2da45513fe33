"""A backup is a folder: the database as one file, the objects by their keys, and a manifest."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, ValidationError

from server.app.maintenance.opening import Refused
from server.platform.object_store import OBJECT_KEY

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
INDEX: Final = "objects.jsonl"
OBJECTS: Final = "objects"
DATABASE: Final = "database"
_BROKEN = "{} is broken: restore from another backup"


def _checked_key(key: str) -> str:
    """A key of the server's own making stays below its folder, wherever it is read or written."""
    if not OBJECT_KEY.fullmatch(key):
        raise ValueError("not an object key")
    return key


class _Note(BaseModel):
    model_config = ConfigDict(frozen=True)


class FileNote(_Note):
    """What a file must be; ``size`` is in bytes, ``sha256`` in hex."""

    size: int
    sha256: str


class ObjectNote(FileNote):
    """A line of the index: one object."""

    key: Annotated[str, AfterValidator(_checked_key)]


class Manifest(_Note):
    """What a backup holds. It is written last: a folder without one is no backup.

    ``missing`` is how many objects the database speaks of that the store did not have.
    """

    format: int
    picky: str
    made_at: AwareDatetime
    engine: str
    revision: str
    rows: dict[str, int]
    database: FileNote
    index: FileNote
    objects: int
    object_bytes: int
    missing: int


class _AnyFormat(_Note):
    format: int


def note_of(path: Path) -> FileNote:
    """A file as it is. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileNote(size=os.fstat(file.fileno()).st_size, sha256=digest)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup. Raises :class:`Refused` for what is none of ours."""
    path = folder / MANIFEST
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise Refused(
            f"{folder} is no backup: it has no {MANIFEST}, which is written last"
        ) from None
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise Refused(_BROKEN.format(path)) from None
    try:
        found = _AnyFormat.model_validate_json(text).format
        if found != FORMAT:
            raise Refused(
                f"{folder} is of format {found}, and this picky-server reads {FORMAT}: "
                "restore it with the version that made it, or a newer one"
            )
        return Manifest.model_validate_json(text)
    except ValidationError:
        raise Refused(_BROKEN.format(path)) from None


def read_index(folder: Path) -> Iterator[ObjectNote]:
    """The objects of a backup, one by one. Raises :class:`Refused` for what no backup holds."""
    with (folder / INDEX).open("r", encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield ObjectNote.model_validate_json(line)
            except ValidationError as error:
                reason = error.errors(include_url=False)[0]["msg"]
                raise Refused(
                    f"the backup is broken: line {number} of {INDEX} is none of ours ({reason}). "
                    "Restore from another one"
                ) from None


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise :class:`Refused` unless every file is there and as it was written."""
    _check(folder / DATABASE, manifest.database)
    _check(folder / INDEX, manifest.index)
    for note in read_index(folder):
        _check(folder / OBJECTS / note.key, note)


def _check(path: Path, note: FileNote) -> None:
    try:
        found = note_of(path)
    except OSError as error:
        raise Refused(f"the backup is broken: {path} cannot be read ({error.strerror})") from None
    if (found.size, found.sha256) != (note.size, note.sha256):
        raise Refused(
            f"the backup is broken: {path} is not what was written. Restore from another one"
        )
