"""What waits and does not go by itself: a photo that did not come through, and a sign-out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import OptionList

from client_tui.app import PickyApp
from client_tui.screens.confirm import ConfirmScreen
from tests.snapshots import scene
from tests.snapshots.frozen import frozen_app
from tests.snapshots.steps import doing, pressing, settled

NARROW, WIDE = (80, 24), (120, 36)


async def with_a_bad_photo(pilot: Pilot[Any], folder: Path) -> None:
    """A message whose second photo is cut off; the server has the first."""
    app = pilot.app
    assert isinstance(app, PickyApp)
    paths = [folder / name for name in ("chair.png", "mark under the seat.png")]
    for path in paths:
        Image.new("RGB", (64, 48), "orange").save(path)
    outbox = app.link.outbox
    waiting = await app.link.send_message(scene.ROOM, "Here they are.", paths)
    first, second = waiting.photos
    why = "The picture is cut off or broken."
    photos = [replace(first, upload_id=scene.make_id(9, 1)), replace(second, failure=why)]
    await outbox.uploaded(waiting.cid, photos)
    failed = await outbox.failed(waiting.cid, "photo_failed", why)
    assert failed is not None
    app.link.altered(failed)


@pytest.mark.parametrize(
    ("size", "keys"),
    [(NARROW, ["escape", "G"]), (WIDE, ["escape", "G"]), (NARROW, ["escape", "G", "minus"])],
    ids=["row-80x24", "row-120x36", "which"],
)
def test_photo_that_did_not_come_through(
    snap_compare: Any, tmp_path: Path, size: tuple[int, int], keys: list[str]
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.open_chat(scene.ROOM))(pilot)
        await with_a_bad_photo(pilot, tmp_path)
        await settled(pilot)
        await pressing(*keys)(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=steps)


def test_signing_out_with_messages_that_wait(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.go_to("profile"))(pilot)
        app = pilot.app
        assert isinstance(app, PickyApp)
        for text in "one", "two":
            await app.link.send_message(scene.ROOM, text)
        settings = app.screen.query_one("#settings", OptionList)
        settings.highlighted = settings.get_option_index("sign_out")
        settings.action_select()
        while not isinstance(app.screen, ConfirmScreen):  # the queue is counted before it asks
            await pilot.pause()
        await settled(pilot)

    app = frozen_app(tmp_path, offline=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


def test_signed_out_where_the_server_was_not_told(snap_compare: Any, tmp_path: Path) -> None:
    from client_tui.screens.welcome import WelcomeScreen

    told = (
        "You are signed out on this machine only. http://127.0.0.1:1 was not reached: connection"
        " refused. The server still lists it: your other devices can sign it out, in the profile."
    )
    app = frozen_app(tmp_path)
    app.link.credentials = None
    app._opening = WelcomeScreen(told)
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing())
