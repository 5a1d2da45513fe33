"""Where a backup cannot be, or what is none, is said in a sentence, and nothing is left there."""

import errno
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from server.app.maintenance import backup, restore
from server.app.maintenance.manifest import MANIFEST
from server.app.maintenance.opening import Refused
from tests.server.conftest import SignUpPerson
from tests.server.maintenance.conftest import Place

SMALL = 200 * 1024


@pytest.fixture
async def laptop(laptops: tuple[Place, Place], sqlite_url: str) -> Place:
    """A market of one machine, with nothing in it."""
    return laptops[0]


@pytest.fixture
async def folder(laptop: Place, tmp_path: Path) -> Path:
    """A backup of it."""
    folder = tmp_path / "backup"
    await backup.back_up(laptop.settings, folder)
    return folder


async def refusal(place: Place, folder: Path) -> str:
    with pytest.raises(Refused) as refused:
        await backup.back_up(place.settings, folder)
    return str(refused.value)


async def test_the_current_folder_and_a_mounted_disk_are_refused_at_once(
    laptop: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, mounted, usual = tmp_path / "in" / "here", tmp_path / "in" / "disk", tmp_path / "in" / "x"
    for folder in (here, mounted, usual):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setattr(Path, "is_mount", lambda path: path == mounted)
    monkeypatch.setattr(backup, "open_market", None)  # nothing is begun
    assert "is the current folder, which cannot be replaced" in await refusal(laptop, Path())
    assert "is where a disk is mounted, which cannot be" in await refusal(laptop, mounted)
    assert sorted(here.parent.iterdir()) == [mounted, here, usual]
    monkeypatch.undo()
    monkeypatch.chdir(here)
    await backup.back_up(laptop.settings, Path("../x"))
    assert (usual / MANIFEST).exists()
    await backup.back_up(laptop.settings, Path("inside"))
    assert (here / "inside" / MANIFEST).exists()


async def test_a_place_in_the_data_dir_is_refused(laptop: Place) -> None:
    for folder in laptop.data_dir, laptop.data_dir / "inside":
        assert "is in the data dir" in await refusal(laptop, folder)
    assert not laptop.data_dir.exists()


async def test_a_folder_that_turns_out_to_be_irreplaceable_is_told(
    laptop: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a mount that comes while it is made."""
    new, replace = tmp_path / "new", Path.replace

    def busy(path: Path, target: Path) -> Path:
        if target == new:
            raise OSError(errno.EBUSY, "Device or resource busy")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", busy)
    assert "new cannot be made: Device or resource busy" in await refusal(laptop, new)
    assert names_in(tmp_path) == ["here"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def with_a_small_disk() -> None:
    """Files of this process become no larger."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL))


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_command_on_a_full_disk_ends_without_a_traceback(
    laptops: tuple[Place, Place], folder: Path, tmp_path: Path, command: str
) -> None:
    arguments = ["--to", tmp_path / "new"] if command == "backup" else ["--from", folder]
    place = laptops[command == "restore"]
    run = subprocess.run(
        [sys.executable, "-m", "server", command, *map(str, arguments)],
        env=os.environ | place.environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=with_a_small_disk,
    )
    assert run.returncode == 1, run.stderr
    assert "Traceback" not in run.stderr
    assert re.search("disk is full|File too large|disk I/O error", run.stderr), run.stderr
    assert not (tmp_path / "new").exists()
    assert not laptops[1].data_dir.exists()


async def test_what_a_killed_backup_left_is_named_by_the_next_one(
    laptop: Place, tmp_path: Path
) -> None:
    left = tmp_path / "backups" / ".one-unfinished-abcd"
    left.mkdir(parents=True)
    code, _, errors = await laptop.run("backup", "--to", left.parent / "two")
    assert code == 0
    assert f"picky-server: {left} is of a backup that is under way or was killed" in errors


NONE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a file": (lambda folder: folder / MANIFEST, "cannot be read: Not a directory"),
    "no folder": (lambda folder: folder / "none", "is no backup"),
}


@pytest.mark.parametrize("what", NONE)
async def test_what_is_no_folder_of_a_backup_is_told(
    laptops: tuple[Place, Place], folder: Path, what: str
) -> None:
    name, reason = NONE[what]
    with pytest.raises(Refused, match=reason):
        await restore.restore(laptops[1].settings, name(folder))
    assert not laptops[1].data_dir.exists()


async def test_a_data_dir_that_cannot_be_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for data_dir in (tmp_path / "file", tmp_path / "file" / "x", Path("/proc/x")):
        place = Place(data_dir, f"sqlite:///{data_dir}/picky.db", None)
        with pytest.raises(Refused, match=f"{data_dir} cannot be used: "):
            await restore.restore(place.settings, folder)


async def test_a_manifest_of_bytes_is_broken(laptops: tuple[Place, Place], folder: Path) -> None:
    (folder / MANIFEST).write_bytes(bytes(range(256)))
    with pytest.raises(Refused, match="is broken: restore from another backup"):
        await restore.restore(laptops[1].settings, folder)


async def test_a_refused_restore_leaves_the_data_dir_as_it_was(
    place: Place, bare: Place, tmp_path: Path, sign_up: SignUpPerson
) -> None:
    """Neither a key nor a folder; what was there before stays."""
    await sign_up("minsu")
    folder = tmp_path / "backup"
    await backup.back_up(place.settings, folder)
    (folder / "database").write_bytes(b"broken")
    with pytest.raises(Refused, match="is not what was written"):
        await restore.restore(bare.settings, folder)
    assert not bare.data_dir.exists()
    bare.data_dir.mkdir()
    key = bare.data_dir / "secret.key"
    key.write_bytes(b"mine" * 16)
    key.chmod(0o600)
    with pytest.raises(Refused, match="is not what was written"):
        await restore.restore(bare.settings, folder)
    assert list(bare.data_dir.iterdir()) == [key]
