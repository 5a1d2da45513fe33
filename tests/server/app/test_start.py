"""What a start leaves behind."""

import gc

import pytest

from server.app.serve import _announce
from server.app.settings import Settings


def test_garbage_is_looked_for_once_the_server_listens_but_not_in_what_was_there_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gc.disable()
    try:
        _announce(Settings(), "http://127.0.0.1:1")
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
        gc.unfreeze()
    assert capsys.readouterr().out == "listening on http://127.0.0.1:1\n"
