"""Folders for a moment are gone afterwards, also those of who was killed."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from server.platform.scratch import scratch

DAY_S = 24 * 60 * 60


@pytest.fixture(autouse=True)
def _temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def left_behind(folder: Path, age_s: float) -> Path:
    folder.mkdir()
    (folder / "picky.zip").write_bytes(b"half of it")
    then = time.time() - age_s
    os.utime(folder, (then, then))
    return folder


def test_it_is_gone_afterwards(tmp_path: Path) -> None:
    with scratch("picky-export-") as folder:
        (folder / "picky.zip").write_bytes(b"all of it")
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_who_was_killed_left_goes_a_day_later(tmp_path: Path) -> None:
    left_behind(tmp_path / "picky-export-old", DAY_S + 60)
    in_use = left_behind(tmp_path / "picky-export-new", DAY_S - 60)
    other = left_behind(tmp_path / "of-somebody-else", 2 * DAY_S)
    with scratch("picky-export-"):
        pass
    assert set(tmp_path.iterdir()) == {in_use, other}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = left_behind(tmp_path / "of-somebody-else", 2 * DAY_S)
    link = tmp_path / "picky-export-link"
    link.symlink_to(elsewhere)
    os.utime(link, (0, 0), follow_symlinks=False)
    with scratch("picky-export-"):
        pass
    assert (elsewhere / "picky.zip").exists()
