"""What comes while a database server is being dumped is not in the backup, nor in its counts."""

from pathlib import Path
from typing import Any

import pytest

from server.app.maintenance import backup, restore
from server.platform import postgres_programs
from tests.server.conftest import SignUpPerson
from tests.server.maintenance.conftest import PLACES, Place


@pytest.mark.parametrize("places", [PLACES[1]], indirect=True)
async def test_a_dump_is_as_of_the_moment_it_was_counted(
    place: Place,
    bare: Place,
    sign_up: SignUpPerson,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dump = postgres_programs.dump

    async def late(*arguments: Any, **options: Any) -> None:
        await sign_up("late")
        await dump(*arguments, **options)

    await sign_up("early")
    monkeypatch.setattr(postgres_programs, "dump", late)
    made = await backup.back_up(place.settings, tmp_path / "backup")
    assert made.manifest.rows["accounts_account"] == 1
    await restore.restore(bare.settings, tmp_path / "backup")
    assert [account.handle for account in (await bare.rows())["accounts_account"]] == ["early"]
