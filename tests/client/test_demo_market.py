"""The demo's market is gone when it is closed, whatever its keeper does."""

from pathlib import Path

import pytest

from client_tui.demo import market
from client_tui.demo.market import DemoMarket

DEAF_KEEPER = """
import json, signal
print(json.dumps({{"folder": {folder!r}}}), flush=True)
while True:
    signal.pause()
"""


def test_a_keeper_that_does_not_end_is_killed_and_its_folder_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, keeper = tmp_path / "market", tmp_path / "keeper.py"
    folder.mkdir()
    keeper.write_text(DEAF_KEEPER.format(folder=str(folder)))
    monkeypatch.setattr(market, "_KEEPER", keeper)
    monkeypatch.setattr(market, "_END_WITHIN_S", 0.1)
    demo = DemoMarket(seed=1, scale="small")
    assert demo.folder == folder
    demo.close()
    assert demo._keeper.returncode is not None
    assert not folder.exists()
