"""What the picker of photos looks like."""

import os
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.snapshots import scene
from tests.snapshots.frozen import frozen_app
from tests.snapshots.steps import doing, pressing


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
def test_choosing_photos(
    snap_compare: Any, tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "Pictures"
    (folder / "휴가").mkdir(parents=True)
    for days, name in enumerate(("chair.jpg", "chair-from-behind.jpg", "의자 옆모습.png")):
        (folder / name).write_bytes(b"x" * 700_000 * (days + 1))
        moment = scene.ago(days=days).timestamp()
        os.utime(folder / name, (moment, moment))

    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.open_chat(scene.ROOM))(pilot)
        await pressing("ctrl+o", "enter", "down", "space", "down", "space", "down")(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=steps)
