"""What cannot be backed up or restored is refused with its reason, and leaves nothing behind."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.app.maintenance import backup, restore
from server.app.maintenance.manifest import (
    DATABASE,
    INDEX,
    MANIFEST,
    OBJECTS,
    note_of,
    read_manifest,
)
from server.app.maintenance.opening import Refused
from server.platform import dumps
from server.platform.context import Context
from server.platform.migrate import HalfRestored, upgrade
from server.platform.object_store import ObjectStore, ObjectStoreError
from tests.server.chat.conftest import Upload1, upload
from tests.server.conftest import SignUpPerson
from tests.server.maintenance.conftest import Place

__all__ = ["upload"]

PHOTOS = [f"photos/{number}/full.jpg" for number in range(20)]


@pytest.fixture
async def folder(place: Place, context: Context, sign_up: SignUpPerson, tmp_path: Path) -> Path:
    """The backup of a market with somebody and a few objects in it."""
    await sign_up("minsu")
    store = context.wiring.port(ObjectStore)
    for key in PHOTOS:
        await store.put(key, key.encode(), content_type="image/jpeg")
    folder = tmp_path / "backup"
    await backup.back_up(place.settings, folder)
    return folder


async def refusal(place: Place, folder: Path) -> str:
    """Why it is not restored there."""
    with pytest.raises(Refused) as refused:
        await restore.restore(place.settings, folder)
    return str(refused.value)


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def in_manifest(**values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text())
        (folder / MANIFEST).write_text(json.dumps(manifest | values))

    return change


def with_key(key: str) -> Callable[[Path], None]:
    """Have the index name another key, and the manifest the index as it is then."""

    def change(folder: Path) -> None:
        index = folder / INDEX
        index.write_text(index.read_text().replace(f'"{PHOTOS[3]}"', json.dumps(key)))
        in_manifest(index=note_of(index).model_dump())(folder)

    return change


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "database": (lambda folder: flip_a_byte(folder / DATABASE), "database is not what was written"),
    "index": (lambda folder: flip_a_byte(folder / INDEX), "objects.jsonl is not what was written"),
    "object": (lambda folder: flip_a_byte(folder / OBJECTS / PHOTOS[3]), f"{PHOTOS[3]} is not"),
    "no object": (lambda folder: (folder / OBJECTS / PHOTOS[3]).unlink(), "cannot be read"),
    "key above": (with_key("../../secret.key"), "is none of ours"),
    "key inside": (with_key("photos/../../secret.key"), "is none of ours"),
    "key from the root": (with_key("/etc/passwd"), "is none of ours"),
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "is no backup"),
    "manifest": (lambda folder: (folder / MANIFEST).write_text("{}"), "is broken"),
    "format": (in_manifest(format=2), "is of format 2, and this picky-server reads 1"),
    "version": (in_manifest(revision="9999", picky="9.0"), "restore it with version 9.0 or"),
    "engine": (in_manifest(engine="oracle"), "the backup is of oracle"),
    "rows": (in_manifest(rows={"accounts_account": 7}), "has not the rows it should have"),
}


async def test_what_is_broken_is_refused_and_leaves_nothing(
    folder: Path, bare: Place, tmp_path: Path
) -> None:
    for what, (spoil, reason) in BROKEN.items():
        spoiled = tmp_path / what
        shutil.copytree(folder, spoiled)
        spoil(spoiled)
        assert reason in await refusal(bare, spoiled), what
        assert await bare.left() == [], what
    await restore.restore(bare.settings, folder)


async def test_a_restored_market_can_be_backed_up_at_once(
    folder: Path, bare: Place, tmp_path: Path
) -> None:
    """The backup that it is of is over, though its hold on deletions is in it."""
    await restore.restore(bare.settings, folder)
    await backup.back_up(bare.settings, tmp_path / "next")


async def test_a_place_that_is_not_empty_is_refused_and_left_alone(
    folder: Path, place: Place, bare: Place
) -> None:
    before = await place.rows(), await place.objects()
    assert "already" in await refusal(place, folder)
    assert (await place.rows(), await place.objects()) == before

    async with bare.store() as store:
        await store.put("photos/other/full.jpg", b"other", content_type="image/jpeg")
    assert "photos/other/full.jpg is not of this backup" in await refusal(bare, folder)
    assert await bare.left() == ["photos/other/full.jpg"]


async def test_an_interrupted_restore_takes_back_what_it_did(
    folder: Path, bare: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here when all objects are written; what was there before, of one that was killed, stays."""
    async with bare.store() as store:
        await store.put(PHOTOS[3], PHOTOS[3].encode(), content_type="image/jpeg")
    reached = asyncio.Event()

    async def hang(*_: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patching:
        patching.setattr(dumps, "restore", hang)
        restoring = asyncio.create_task(restore.restore(bare.settings, folder))
        await reached.wait()
        assert sorted(await bare.objects()) == sorted(PHOTOS)
        restoring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await restoring
    assert await bare.left() == [PHOTOS[3]]
    await restore.restore(bare.settings, folder)
    assert sorted(await bare.objects()) == sorted(PHOTOS)


async def test_a_restore_that_was_killed_is_no_market_and_says_so(
    folder: Path, bare: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed right after PostgreSQL has all rows, or while the file of SQLite is finished."""

    async def killed(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(dumps, "_finish", killed)
    monkeypatch.setattr(dumps, "_drop_tables", killed)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(Killed):
        await restore.restore(bare.settings, folder)
    monkeypatch.undo()
    if bare.database_url.startswith("sqlite"):
        left = await bare.left()
        assert "picky.db.restoring" in left
        assert "picky.db" not in left
        await restore.restore(bare.settings, folder)
        return
    with pytest.raises(HalfRestored, match="Empty the database and run"):
        await asyncio.to_thread(upgrade, bare.database_url)
    assert "of a restore that was interrupted" in await refusal(bare, folder)


class Killed(BaseException):
    pass


async def test_a_backup_is_whole_or_not_there(
    place: Place, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backups" / "one"

    async def broken(*_: Any) -> None:
        raise ObjectStoreError("the object store failed: ReadTimeout")

    with monkeypatch.context() as patching:
        patching.setattr(backup.Backup, "_copy_objects", broken)
        with pytest.raises(Refused, match="the object store failed: ReadTimeout"):
            await backup.back_up(place.settings, folder)
    assert list(folder.parent.iterdir()) == []
    await backup.back_up(place.settings, folder)
    with pytest.raises(Refused, match="is there already and not empty"):
        await backup.back_up(place.settings, folder)


async def test_a_backup_is_on_the_disk_before_it_has_its_name(
    place: Place, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of that name is a whole backup, also after a power cut."""
    await context.wiring.port(ObjectStore).put(PHOTOS[0], b"photo", content_type="image/jpeg")
    folder, steps = tmp_path / "backups" / "one", list[Path]()
    sync, rename = os.fsync, Path.replace

    def syncing(descriptor: int) -> None:
        sync(descriptor)
        steps.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    def renaming(path: Path, target: Path) -> Path:
        if target == folder:
            steps.append(target)
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", renaming)
    await backup.back_up(place.settings, folder)
    named = steps.index(folder)
    there = {path.relative_to(folder) for path in folder.rglob("*")} | {Path()}
    before = [step for step in steps[:named] if step.is_relative_to(folder.parent)]
    assert {Path(*step.relative_to(folder.parent).parts[1:]) for step in before} == there
    assert steps[named + 1 :] == [folder.parent]


async def test_what_the_store_has_lost_is_told(
    place: Place, context: Context, sign_up: SignUpPerson, upload: Upload1, tmp_path: Path
) -> None:
    lost = await upload(await sign_up("minsu"))
    code, _, errors = await place.run("backup", "--to", tmp_path / "backup")
    assert code == 0
    for copy in ("thumb", "full"):
        assert f"the object store has no photos/{lost}/{copy}.jpg" in errors
    assert read_manifest(tmp_path / "backup").missing == 2


async def test_no_market_is_none_to_back_up(tmp_path: Path) -> None:
    nowhere = Place(tmp_path / "no", f"sqlite:///{tmp_path}/no/picky.db", None)
    code, _, errors = await nowhere.run("backup", "--to", tmp_path / "backup")
    assert code == 1
    assert "there is no market" in errors
    assert not (tmp_path / "backup").exists()
    assert not nowhere.data_dir.exists()


@pytest.mark.parametrize(
    ("version", "told"),
    [(None, "there is no pg_dump on the PATH"), ("9.6.24", "is older than the server")],
)
async def test_programs_that_are_missing_or_too_old_are_told(
    fleets: tuple[Place, Place],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str | None,
    told: str,
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    if version is not None:
        (programs / "pg_dump").write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
        (programs / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(Refused, match=told) as refused:
        await backup.back_up(fleets[0].settings, tmp_path / "backup")
    assert "install PostgreSQL's client programs of version 18 or newer" in str(refused.value)
    assert not (tmp_path / "backup").exists()
