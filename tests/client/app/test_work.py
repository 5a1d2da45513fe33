"""Work beside the drawing that is ended before it has begun."""

import gc
import warnings
from pathlib import Path

import client_tui
from tests.client.app.chat_room import open_chat
from tests.client.app.room_server import RoomServer, talk_of

SOURCE = Path(client_tui.__file__).parent


async def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        asked = len(chat.server.asked("messages"))
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            gc.collect()
            warned.clear()  # of what was left behind before
            chat.screen.do_refresh()
            chat.app.workers.cancel_node(chat.screen)
            await chat.pilot.pause()
            gc.collect()
        assert [str(one.message) for one in warned] == []
        assert len(chat.server.asked("messages")) == asked


def test_there_is_one_way_to_begin_it() -> None:
    files = [path.name for path in SOURCE.rglob("*.py") if "run_worker(" in path.read_text("utf-8")]
    assert files == ["work.py"]
