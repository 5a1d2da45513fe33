import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from client_tui.core.database import Database
from client_tui.core.errors import StorageFailed


def held(path: Path) -> sqlite3.Connection:
    """A new file that another program has just begun to write."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other


def database(path: Path) -> Database:
    return Database(path, ("CREATE TABLE two (number INTEGER)",), synchronous="FULL")


async def test_a_file_that_another_program_is_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.db"
    with closing(held(path)) as other:
        monkeypatch.setattr(time, "sleep", lambda _: other.rollback())
        opened = database(path)
        await opened.open()
        await opened.close()


async def test_a_file_that_another_program_never_lets_go_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client_tui.core.database._WAIT_S", 0.0)
    path = tmp_path / "one.db"
    with closing(held(path)), pytest.raises(StorageFailed, match="locked"):
        await database(path).open()
