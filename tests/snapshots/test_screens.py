"""What the screens look like. Look at the picture before blessing a change of one."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from client_tui.app import PickyApp
from client_tui.conversation import GAP
from client_tui.core.errors import ServerUnreachable
from client_tui.core.status import LineState, Status
from client_tui.core.uploads import Phase, Progress
from client_tui.history_pages import End
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.chat import ChatScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.help import KeysScreen
from client_tui.screens.message_search import MessageSearchScreen
from client_tui.screens.sell import SellScreen
from client_tui.store import PeerHere
from client_tui.widgets.photo_upload import PhotoUpload
from tests.snapshots import scene
from tests.snapshots.frozen import SERVER, DrawnPhotos, MissingPhotos, frozen_app
from tests.snapshots.steps import Steps, doing, pressing, settled

NARROW = (80, 24)
WIDE = (120, 36)
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x36"])


@SIZES
def test_browse(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=pressing("j"))


@SIZES
def test_listing(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=pressing("enter"))


@SIZES
def test_chats(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=pressing("g", "c"))


@SIZES
def test_chat(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = doing(lambda app: app.open_chat(scene.ROOM))
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=steps)


@SIZES
def test_chat_with_the_other_side_here(
    snap_compare: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.open_chat(scene.ROOM))(pilot)
        pilot.app.link.store.publish(PeerHere(scene.ROOM, 60.0))  # type: ignore[attr-defined]
        await settled(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=steps)


def searching(words: str) -> Steps:
    """Search for words in all chats."""

    async def steps(pilot: Pilot[Any]) -> None:
        await pressing("g", "c", "slash")(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, MessageSearchScreen)
        screen.query_one("#words", Input).value = words
        await pressing("enter")(pilot)
        screen.do_to_hits()  # they are there; a pause of typing may have found them before the key
        await settled(pilot)

    return steps


@SIZES
def test_messages_found(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=searching("both"))


def test_no_messages_found(snap_compare: Any, tmp_path: Path) -> None:
    steps = searching("zeppelin")
    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


@SIZES
def test_trade(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = doing(lambda app: app.open_trade(scene.trade().id))
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=steps)


@SIZES
def test_trades(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=pressing("g", "t"))


@SIZES
def test_notifications(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=pressing("g", "n"))


@SIZES
def test_profile(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=pressing("g", "p"))


@SIZES
def test_blocked(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = pressing("g", "p", "B")
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=steps)


@SIZES
def test_person(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = doing(lambda app: app.open_profile(scene.MINJI.id))
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=steps)


@SIZES
def test_sell(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = doing(lambda app: app.sell(scene.listing(0, mine=True)))
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=steps)


@SIZES
def test_viewer(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    steps = pressing("enter", "enter", "right")
    assert snap_compare(frozen_app(tmp_path), terminal_size=size, run_before=steps)


@pytest.mark.parametrize("keys", [["question_mark"], ["g"], ["f"], ["s"], ["ctrl+p"]], ids=str)
def test_dialogs_over_browse(snap_compare: Any, tmp_path: Path, keys: list[str]) -> None:
    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=pressing(*keys))


def test_search_as_you_type(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pressing("slash", *"oak")(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, BrowseScreen)
        while screen.filter.q != "oak":  # which is looked for when nothing more is typed
            await pilot.pause()
        await settled(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


def test_review_dialog(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.open_trade(scene.trades()[2].id))(pilot)
        await pressing("r")(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


def test_confirmation(snap_compare: Any, tmp_path: Path) -> None:
    question = ConfirmScreen("You received it?", "The trade is then complete.", yes="Confirm")
    steps = doing(lambda app: app.push_screen(question))
    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


@pytest.mark.parametrize("place", ["b", "c", "t", "n"])
def test_empty_market(snap_compare: Any, tmp_path: Path, place: str) -> None:
    steps = pressing("g", place)
    app = frozen_app(tmp_path, empty=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


def test_browse_offline(snap_compare: Any, tmp_path: Path) -> None:
    app = frozen_app(tmp_path, offline=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing())


def _copies(app: PickyApp, first: int) -> None:
    """Copies on this machine of the talk's messages from one on."""
    kept = [one for one in scene.messages() if one.seq >= first]
    start = app.link.start

    async def started() -> None:
        await start()
        await app.link.cache.save_messages(kept)

    app.link.start = started  # type: ignore[method-assign]


def test_chat_offline(snap_compare: Any, tmp_path: Path) -> None:
    """Copies are there, and what is written waits."""
    app = frozen_app(tmp_path, offline=True)
    _copies(app, 1)

    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.open_chat(scene.ROOM))(pilot)
        await pressing("o", "k", "enter")(pilot)

    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


def test_chat_with_a_page_that_failed(snap_compare: Any, tmp_path: Path) -> None:
    app = frozen_app(tmp_path, offline=True)
    _copies(app, scene.messages()[-4].seq)
    steps = doing(lambda app: app.open_chat(scene.ROOM))
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


def test_chat_that_was_never_read(snap_compare: Any, tmp_path: Path) -> None:
    """Offline, with something that waits."""

    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.open_chat(scene.ROOM))(pilot)
        await pressing("o", "k", "enter")(pilot)

    app = frozen_app(tmp_path, offline=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


@pytest.mark.parametrize("keys", [[], ["e"]], ids=["list", "edited"])
def test_quick_replies(snap_compare: Any, tmp_path: Path, keys: list[str]) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.open_chat(scene.ROOM))(pilot)
        await pressing("ctrl+t", "down", *keys)(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


def test_chat_with_a_gap(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.open_chat(scene.ROOM))(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, ChatScreen)
        screen.pages.ends[GAP] = End.LOADING
        screen.conversation.know_head(screen.conversation.head + 12)
        screen.show_changes()
        screen.history.jump_to_bottom()
        await settled(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


def test_chat_with_a_message_that_failed(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.open_chat(scene.ROOM))(pilot)
        await pressing("h", "i", "enter")(pilot)
        link = pilot.app.link  # type: ignore[attr-defined]
        [waiting] = await link.outbox.waiting()
        failed = await link.outbox.failed(waiting.cid, "message_blocked", "No links here.")
        link.altered(failed)
        await settled(pilot)
        await pressing("escape", "k")(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


def test_outbox(snap_compare: Any, tmp_path: Path) -> None:
    """Of two rooms; one of them failed."""

    async def steps(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        app = pilot.app
        assert isinstance(app, PickyApp)
        link, (first, second) = app.link, app.link.store.rooms_by_activity()[:2]
        await link.send_message(first.id, "네, 두 개 다 있어요. Both are here.")
        refused = await link.send_message(second.id, "see www.example.com for more")
        await link.send_message(first.id, "Saturday at two?")
        await link.outbox.failed(refused.cid, "message_blocked", "No links here.")
        await pressing("g", "o")(pilot)

    app = frozen_app(tmp_path, offline=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


def test_draft_that_is_not_saved(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.sell())(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, SellScreen)
        screen.query_one("#title Input", Input).value = "Oak chair"
        screen.link.api.create_listing = _refuse  # type: ignore[method-assign]
        await settled(pilot)
        await screen._save_draft()
        await settled(pilot)

    app = frozen_app(tmp_path, offline=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


async def _refuse(*_: Any, **__: Any) -> Any:
    raise ServerUnreachable(SERVER, "connection refused")


def test_photo_on_its_way(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await doing(lambda app: app.sell())(pilot)
        upload = PhotoUpload(path=Path("chair.jpg"))
        await pilot.app.screen.query_one("#photo-list").mount(upload)
        # A whole number of cells: the bar rounds once it has a width, and not before.
        upload.show_progress(Progress(0, Path("chair.jpg"), Phase.SENDING, 500_000, 1_000_000))
        await settled(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


@pytest.mark.parametrize("theme", ["picky-light", "picky-contrast", "picky-terminal"])
def test_themes(snap_compare: Any, tmp_path: Path, theme: str) -> None:
    app = frozen_app(tmp_path, theme=theme)
    steps = doing(lambda app: app.open_chat(scene.ROOM))
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


def test_first_run(snap_compare: Any, tmp_path: Path) -> None:
    app = frozen_app(tmp_path)
    app.link.credentials = None
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing())


def test_market_that_does_not_open(snap_compare: Any, tmp_path: Path) -> None:
    app = frozen_app(tmp_path)

    async def refuse() -> None:
        raise ServerUnreachable(SERVER, "connection refused")

    app.link.start = refuse  # type: ignore[method-assign]
    assert snap_compare(app, terminal_size=NARROW, run_before=pressing())


@SIZES
@pytest.mark.parametrize("keys", [[], ["enter"], ["enter", "enter"]], ids=["cards", "page", "full"])
def test_photos(snap_compare: Any, tmp_path: Path, size: tuple[int, int], keys: list[str]) -> None:
    app = frozen_app(tmp_path, photos=DrawnPhotos(tmp_path))
    assert snap_compare(app, terminal_size=size, run_before=pressing(*keys))


def test_chat_with_photos(snap_compare: Any, tmp_path: Path) -> None:
    app = frozen_app(tmp_path, photos=DrawnPhotos(tmp_path))
    steps = doing(lambda app: app.open_chat(scene.ROOM))
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


def test_photo_that_does_not_come(snap_compare: Any, tmp_path: Path) -> None:
    app = frozen_app(tmp_path, photos=MissingPhotos())
    steps = pressing("enter", "enter")
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


def test_trade_offline(snap_compare: Any, tmp_path: Path) -> None:
    steps = doing(lambda app: app.open_trade(scene.make_id(7, 99)))
    app = frozen_app(tmp_path, offline=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


def test_filter_with_a_wrong_price(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pressing("f")(pilot)
        pilot.app.screen.query_one("#min", Input).value = "a lot"
        await pressing("ctrl+s")(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


def test_sign_in_with_a_wrong_server(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        pilot.app.screen.query_one("#server Input", Input).value = "ftp://picky"
        await pressing("enter")(pilot)

    app = frozen_app(tmp_path)
    app.link.credentials = None
    assert snap_compare(app, terminal_size=NARROW, run_before=steps)


@pytest.mark.parametrize("state", ["full", "out"])
def test_line_that_has_ended(snap_compare: Any, tmp_path: Path, state: str) -> None:
    ended = {
        "full": Status(LineState.OFFLINE, None, "too many devices of this account are connected"),
        "out": Status(LineState.SIGNED_OUT, None, "you were signed out"),
    }
    steps = doing(lambda app: app.link.status_changed(ended[state]))
    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)


def test_all_keys(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pressing("g", "p")(pilot)
        pilot.app.push_screen(KeysScreen(Path("config.toml")))
        await settled(pilot)

    assert snap_compare(frozen_app(tmp_path), terminal_size=NARROW, run_before=steps)
