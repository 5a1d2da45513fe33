"""Quick replies: picked into the composer, and changed in the same place."""

from pathlib import Path

import pytest
from textual.widgets import OptionList

from client_tui.core.config import change_config, load_config
from client_tui.quick_replies import usual_replies
from client_tui.screens.chat import ChatScreen
from client_tui.screens.quick_replies import QuickRepliesScreen
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of


async def open_replies(chat: Chat) -> None:
    await chat.pilot.press("ctrl+t")
    await chat.until(lambda: isinstance(chat.app.screen, QuickRepliesScreen))
    await chat.pilot.pause()


def listed(chat: Chat) -> list[str]:
    replies = chat.app.screen.query_one(OptionList)
    return [str(option.prompt)[3:] for option in replies.options]


async def test_one_is_put_into_what_is_being_written(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.write("Hello. ", send=False)
        await open_replies(chat)
        first, second = listed(chat)[:2]
        await chat.pilot.press("down", "enter")
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen))
        assert chat.screen.composer.text == f"Hello. {second}"
        await open_replies(chat)
        await chat.pilot.press("1")
        await chat.until(lambda: chat.screen.composer.text == f"Hello. {second}{first}")
        assert chat.server.asked("send") == []


async def test_they_are_edited_in_place_and_kept_for_the_next_time(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        usual = usual_replies(None)
        await open_replies(chat)
        await chat.pilot.press("e", "ctrl+u", *"Hm", "enter")
        await chat.until(lambda: listed(chat) == ["Hm", *usual[1:]])
        await chat.pilot.press("down", "x")
        await chat.until(lambda: listed(chat) == ["Hm", *usual[2:]])
        await chat.pilot.press("a", *"New", "enter")
        await chat.until(lambda: listed(chat) == ["Hm", *usual[2:], "New"])
        await chat.pilot.press("a", *"never", "escape")
        await chat.until(lambda: listed(chat) == ["Hm", *usual[2:], "New"])
        kept = load_config(chat.link.paths.config_file).quick_replies
        assert kept == ("Hm", *usual[2:], "New")
        await chat.pilot.press("escape")
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen))
        assert chat.screen.composer.text == ""


async def test_they_take_back_nothing_that_another_window_or_an_editor_has_written(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        file = chat.link.paths.config_file
        change_config(file, theme="picky-light", send_read_marks=False)
        file.write_text(file.read_text() + "# mine\n[keys]\nquit = 'q'\n")
        await open_replies(chat)
        await chat.pilot.press(*"xxxxxxx")
        await chat.until(lambda: load_config(file).quick_replies == ())
        assert load_config(file).theme == "picky-light"
        assert not load_config(file).send_read_marks
        assert file.read_text().endswith("# mine\n[keys]\nquit = 'q'\n")


async def test_what_another_window_has_made_of_them_is_what_is_edited(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        file = chat.link.paths.config_file
        change_config(file, quick_replies=("There", "Both"))
        await open_replies(chat)
        assert listed(chat) == ["There", "Both"]
        await chat.pilot.press("a", *"Here", "enter")
        await chat.until(lambda: load_config(file).quick_replies == ("There", "Both", "Here"))


async def test_a_file_that_is_just_being_edited_is_left_alone_and_that_is_said(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        file = chat.link.paths.config_file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("theme = \n")
        await open_replies(chat)
        await chat.pilot.press("x")
        await chat.until(lambda: "config.toml is not valid TOML" in "".join(chat.toasts()))
        assert file.read_text() == "theme = \n"
        file.write_text("images = 'ascii'\n")
        chat.app.use_theme("picky-light")
        await chat.until(lambda: "images must be auto" in "".join(chat.toasts()))
        assert (file.read_text(), chat.app.theme) == ("images = 'ascii'\n", "picky-light")


async def test_who_wants_none_has_none_and_may_begin_anew(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await open_replies(chat)
        await chat.pilot.press(*"xxxxxxx")
        await chat.until(lambda: chat.link.config.quick_replies == ())
        assert chat.app.screen.query_one("#no-replies").display
        await chat.pilot.press("escape")
        await open_replies(chat)
        assert listed(chat) == []
        await chat.pilot.press("a", *"Yes", "enter")
        await chat.until(lambda: listed(chat) == ["Yes"])


@pytest.mark.parametrize(
    ("locale", "environment", "first"),
    [
        ("ko-KR", {"LANG": "en_US.UTF-8"}, "안녕하세요! 아직 판매 중인가요?"),
        (None, {"LANG": "ko_KR.UTF-8"}, "안녕하세요! 아직 판매 중인가요?"),
        (None, {"LANG": "C.UTF-8"}, "Hi! Is it still available?"),
        ("de-DE", {}, "Hi! Is it still available?"),
    ],
)
def test_the_usual_ones_speak_the_language_of_the_person(
    locale: str | None, environment: dict[str, str], first: str
) -> None:
    assert usual_replies(locale, environment)[0] == first
