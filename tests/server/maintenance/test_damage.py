"""A damaged file of SQLite is told as such: it makes no backup, and no backup of it a market."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from server.app.maintenance import backup, restore
from server.app.maintenance.manifest import DATABASE, MANIFEST, note_of
from server.app.maintenance.opening import Refused
from server.platform.context import Context
from tests.server.conftest import SignUpPerson
from tests.server.maintenance.conftest import Place


@pytest.fixture
def place(laptops: tuple[Place, Place]) -> Place:
    return laptops[0]


@pytest.fixture
async def market(place: Place, context: Context, sign_up: SignUpPerson) -> Path:
    """The file of a market with somebody in it, all of it in that file."""
    await sign_up("minsu")
    await context.database.close()
    return Path(place.database_url.removeprefix("sqlite:///"))


def empty_a_page_of_an_index(file: Path) -> None:
    """By it a handle is found; rows are counted all the same."""
    with closing(sqlite3.connect(file)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_accounts_account_1'"
        ).fetchone()
    content = bytearray(file.read_bytes())
    start = (page - 1) * size
    content[start + 8 : start + size] = bytes(size - 8)
    file.write_bytes(content)


def take_an_account_from_its_session(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM accounts_account")
        connection.commit()


DAMAGE: dict[Callable[[Path], None], str] = {
    empty_a_page_of_an_index: "database disk image is malformed|Rowid|[Tt]ree|wrong #|missing from",
    take_an_account_from_its_session: "a row of accounts_\\w+ names one of accounts_account that",
}


@pytest.mark.parametrize("spoil", DAMAGE)
async def test_a_damaged_database_is_not_backed_up(
    place: Place, market: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(market)
    with pytest.raises(Refused, match=f"is damaged, .*: .*({DAMAGE[spoil]})"):
        await backup.back_up(place.settings, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


@pytest.mark.usefixtures("market")
async def test_a_damaged_backup_is_not_restored(
    place: Place, laptops: tuple[Place, Place], tmp_path: Path
) -> None:
    """As one of an earlier version may be, whose checksums are of the damage."""
    folder, bare = tmp_path / "backup", laptops[1]
    await backup.back_up(place.settings, folder)
    empty_a_page_of_an_index(folder / DATABASE)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["database"] = note_of(folder / DATABASE).model_dump()
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(Refused, match="the backup's database is damaged: "):
        await restore.restore(bare.settings, folder)
    assert not bare.data_dir.exists()


def fill_with_noise(file: Path) -> None:
    file.write_bytes(hashlib.shake_128(b"noise").digest(3 * 4096))


def keep_to_oneself(file: Path) -> None:
    file.chmod(0o600)


def spoil_all_pages_but_the_first(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xab" * (len(content) - 4096))


@pytest.mark.parametrize("spoil", [fill_with_noise, spoil_all_pages_but_the_first])
async def test_a_command_on_a_damaged_database_says_so(
    place: Place, market: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(market)
    for command in "serve", "migrate", "jobs":
        _, output, errors = await place.run(command)
        assert errors.startswith("picky-server: the database's file is damaged: restore a backup (")
        assert (len(errors.splitlines()), output) == (1, "")


@pytest.mark.parametrize("spoil", [fill_with_noise, empty_a_page_of_an_index])
async def test_the_doctor_finds_damage(
    place: Place, market: Path, spoil: Callable[[Path], None]
) -> None:
    keep_to_oneself(market)
    code, output, _ = await place.run("doctor")
    assert code == 0, output
    spoil(market)
    code, output, errors = await place.run("doctor")
    assert (code, errors) == (1, "")
    assert f"FAIL  database: {market} is damaged: " in output
    assert "mend: move it away and restore a backup" in output
