"""A data dir is its owner's alone, and one that cannot be used is told in a sentence."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from server.app.container import build_context
from server.app.doctor import examine
from server.app.settings import Settings, SettingsError
from tests.servers.command import run_command


def command(*arguments: str | Path) -> tuple[int, list[str]]:
    """Run `picky-server`; its exit code and what it said on stderr."""
    run = run_command(*arguments)
    return run.returncode, run.stderr.splitlines()


@pytest.mark.parametrize("name", ["serve", "migrate", "seed", "jobs"])
def test_a_file_in_its_place_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "data").write_text("in the way")
    code, said = command(name, "--data-dir", tmp_path / "data")
    assert code in {1, 2}
    assert len(said) == 1
    assert said[0].startswith("picky-server: ")


def test_its_database_can_be_read_by_its_owner_only_also_in_an_open_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert command("migrate", "--data-dir", tmp_path) == (0, [])
    assert (tmp_path / "picky.db").stat().st_mode & 0o077 == 0


def test_the_doctor_finds_a_database_that_others_may_read(tmp_path: Path) -> None:
    file = tmp_path / "picky.db"
    file.touch()
    file.chmod(0o644)

    def told() -> bool:
        lines = [finding.text for finding in examine({"data_dir": tmp_path})]
        return any(f"{file} can be read by others\n" in line for line in lines)

    for mode, is_told in (0o700, False), (0o755, True):
        tmp_path.chmod(mode)
        assert told() is is_told
    file.chmod(0o600)
    assert not told()


def test_the_doctor_finds_a_folder_in_the_place_of_the_database(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "picky.db"
    file.mkdir()
    told = [finding.text for finding in examine({"data_dir": tmp_path}) if not finding.well]
    assert len(told) == 1
    assert f"FAIL  database: {file} is no file\n" in told[0]
    assert capfd.readouterr().err == ""


def write_for_others(key: Path) -> None:
    key.write_bytes(b"k" * 64)
    key.chmod(0o640)


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda key: key.touch(0o600), "has less than 32 bytes: put the right one there"),
    "short": (lambda key: key.write_text("short"), "has less than 32 bytes"),
    "a folder": (lambda key: key.mkdir(0o700), r"cannot be read \(Is a directory\): make it a"),
    "for others": (write_for_others, "chmod 600 "),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_nobody_signs_with_a_secret_that_is_none(tmp_path: Path, what: str) -> None:
    spoil, told = UNUSABLE[what]
    key = tmp_path / "secret.key"
    before = os.umask(0o077)
    spoil(key)
    os.umask(before)
    with pytest.raises(SettingsError, match=told):
        build_context(Settings(data_dir=tmp_path), base_url="http://here")
    report = [
        finding for finding in examine({"data_dir": tmp_path}) if "secret key" in finding.text
    ]
    assert [finding.well for finding in report] == [False]
    key.rmdir() if key.is_dir() else key.unlink()
    assert len(Settings(data_dir=tmp_path).secret_bytes()) == 64


def test_a_disk_that_is_full_at_the_first_start_leaves_nothing_of_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    told = r"cannot be used: No space left on device\. Mend it"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(SettingsError, match=told):
            build_context(Settings(data_dir=tmp_path), base_url="http://here")
    assert list(tmp_path.iterdir()) == []
    assert len(Settings(data_dir=tmp_path).secret_bytes()) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("where", ["/proc/nobody", "/dev/null/data"])
def test_where_no_folder_can_be_is_told(where: str) -> None:
    with pytest.raises(SettingsError, match=f"{where} cannot be used: .* choose another --data"):
        build_context(Settings(data_dir=Path(where)), base_url="http://here")
