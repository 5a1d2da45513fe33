"""Search in messages: over all chats or in one, as one types, and into the chat at a hit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from textual.widgets import Input, Static

from client_tui.core.errors import ServerUnreachable
from client_tui.screens import message_search
from client_tui.screens.chat import ChatScreen
from client_tui.screens.chats import ChatsScreen
from client_tui.screens.message_search import MessageSearchScreen
from client_tui.widgets.chat_rule import ChatRule
from client_tui.widgets.hit_rows import marks, snippet
from shared_models.base import Page
from shared_models.chat import Message
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.core.fakes import ROOM


class SearchServer(RoomServer):
    """Finds what holds all of the words, the newest first, three a page."""

    async def search_messages(
        self, q: str, *, room_id: UUID | None = None, cursor: str | None = None, limit: int
    ) -> Page[Message]:
        self.calls.append(("search_messages", q, room_id, cursor))
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        found = [one for one in self.log[::-1] if q in one.text]
        start = int(cursor or 0)
        more = str(start + 3) if len(found) > start + 3 else None
        return Page[Message](items=found[start : start + 3], next_cursor=more)


@asynccontextmanager
async def searching(
    directory: Path, words: str, server: SearchServer | None = None
) -> AsyncIterator[tuple[Chat, MessageSearchScreen]]:
    """The search of a chat of two hundred messages, with these words typed."""
    async with open_chat(directory, server or SearchServer(talk_of(200))) as chat:
        await chat.press("slash")
        await chat.until(lambda: isinstance(chat.app.screen, MessageSearchScreen))
        screen: Any = chat.app.screen
        screen.query_one("#words", Input).value = words
        await chat.until(lambda: chat.server.asked("search_messages"))
        yield chat, screen


def note(screen: MessageSearchScreen) -> str:
    shown = screen.query_one("#hits-note", Static)
    return str(shown.render()) if shown.display else ""


def is_last_asked(server: SearchServer, words: str) -> bool:
    return bool(server.asked("search_messages")[-1][0] == words)


def seqs(screen: MessageSearchScreen) -> list[int]:
    return [screen.hits.item(key).seq for key in screen.hits.keys]


async def test_a_hit_is_opened_in_the_chat_with_what_was_said_around_it(tmp_path: Path) -> None:
    async with searching(tmp_path, "word 2") as (chat, screen):
        await chat.until(lambda: len(screen.hits) > 3)
        assert seqs(screen)[:6] == [200, 29, 28, 27, 26, 25]
        assert {asked[:2] for asked in chat.server.asked("search_messages")} == {("word 2", ROOM)}
        await chat.pilot.press("enter", "down", "enter")
        await chat.until(lambda: chat.screen.history.cursor == 29)
        assert isinstance(chat.app.screen, ChatScreen)
        assert (None, None, 29, 100) in chat.server.asked("messages")
        assert chat.row("word 28"), chat.rows()
        assert chat.row("word 30"), chat.rows()
        await chat.pilot.press("n")
        await chat.until(lambda: chat.screen.history.cursor == 28)
        await chat.pilot.press("b", "b")
        await chat.until(lambda: chat.screen.history.cursor == 200)
        await chat.pilot.press("b")
        assert "There is no further one." in chat.toasts()


async def test_which_hit_is_shown_and_the_keys_to_the_others_are_told(tmp_path: Path) -> None:
    async with searching(tmp_path, "word 20") as (chat, screen):
        await chat.until(lambda: seqs(screen) == [200, 20])
        rule = chat.screen.query_one(ChatRule)
        await chat.pilot.press("enter", "enter")
        await chat.until(lambda: rule.found == "hit 1 of 2 · n older")
        await chat.pilot.press("n")
        await chat.until(lambda: rule.found == "hit 2 of 2 · b newer")
        chat.screen.show_hits([150, 100, 50], 100, more=True)
        await chat.until(lambda: rule.found == "hit 2 of 3+ · n older · b newer")
        assert " hit 2 of 3+ · n older · b newer " in rule.render_line(0).text
        await chat.pilot.press("i")
        await chat.until(lambda: rule.found == "hit 2 of 3+ · esc n older · esc b newer")
        await chat.press("G")
        await chat.until(lambda: rule.found == "")


async def test_after_the_last_hit_that_was_read_the_search_may_know_more(tmp_path: Path) -> None:
    server = SearchServer(talk_of(200))
    async with searching(tmp_path, "word", server) as (chat, screen):
        await chat.until(lambda: len(screen.hits) > 3)
        last = screen.hits.keys[-1]
        screen.hits.cursor = last
        seq = screen.hits.item(last).seq
        screen.do_open_hit()
        await chat.until(lambda: chat.screen.history.cursor == seq)
        await chat.press("n")
        assert seq > 1
        assert chat.toasts() == ["There may be older ones: scroll on in the search."]


async def test_from_the_list_all_chats_are_searched_and_esc_leads_back_through_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_chat(tmp_path, SearchServer(talk_of(200))) as chat:
        await chat.pilot.press("escape", "escape")
        chat.app.push_screen(ChatsScreen())
        await chat.until(lambda: isinstance(chat.app.screen, ChatsScreen))
        await chat.pilot.press("slash")
        await chat.until(lambda: isinstance(chat.app.screen, MessageSearchScreen))
        with monkeypatch.context() as typing:
            typing.setattr(message_search, "TYPING_PAUSE_S", 60.0)
            await chat.pilot.press(*"wor")
        await chat.pilot.press("d")
        await chat.until(lambda: chat.server.asked("search_messages"))
        asked = chat.server.asked("search_messages")
        assert asked[0] == ("word", None, None), "asked for each letter"
        await chat.until(lambda: len(chat.app.screen.hits) > 0)  # type: ignore[attr-defined]
        await chat.pilot.press("enter", "down", "down", "enter")
        await chat.until(lambda: chat.screen.is_mounted and chat.screen.history.cursor == 198)
        await chat.pilot.press("escape")
        await chat.until(lambda: isinstance(chat.app.screen, MessageSearchScreen))
        assert chat.app.screen.hits.cursor is not None  # type: ignore[attr-defined]
        await chat.pilot.press("escape")
        await chat.until(lambda: isinstance(chat.app.screen, ChatsScreen))


async def test_it_says_why_there_is_nothing(tmp_path: Path) -> None:
    server = SearchServer(talk_of(9))
    server.gate.clear()
    async with open_chat(tmp_path, server, loaded=False) as chat:
        await chat.press("slash")
        await chat.until(lambda: isinstance(chat.app.screen, MessageSearchScreen))
        screen: Any = chat.app.screen
        assert "Type a word" in note(screen)
        words = screen.query_one("#words", Input)
        words.value = "zeppelin"
        await chat.until(lambda: server.asked("search_messages"))
        assert "Looking" in note(screen)
        server.gate.set()
        await chat.until(lambda: "Nobody said that here." in note(screen))
        server.refusal = ServerUnreachable("http://server", "connection refused")
        words.value = "word"
        await chat.until(lambda: "ctrl+r tries again" in note(screen))
        server.refusal = None
        await chat.pilot.press("ctrl+r")
        await chat.until(lambda: len(screen.hits) > 0)
        assert note(screen) == ""
        words.value = ""
        await chat.until(lambda: "Type a word" in note(screen))


async def test_an_answer_to_other_words_is_dropped(tmp_path: Path) -> None:
    server = SearchServer(talk_of(40))
    async with searching(tmp_path, "word 4", server) as (chat, screen):
        await chat.until(lambda: seqs(screen) == [40, 4])
        server.gate.clear()
        words = screen.query_one("#words", Input)
        for text in ("word 3", "word 11"):
            words.value = text
            await chat.until(partial(is_last_asked, server, text))
        server.gate.set()
        await chat.until(lambda: seqs(screen) == [11])


def test_a_snippet_begins_near_the_word() -> None:
    text = "a long way to go before it says anything about chairs, and then some more of it"
    assert snippet("two chairs", "chairs", 40) == "two chairs"
    assert "chairs" in snippet(text, "CHAIRS", 40)
    assert snippet(text, "CHAIRS", 40).startswith("…")
    assert [match[0] for match in marks("Chairs, armchairs, 의자는", "CHAIR 자 -arm")] == [
        "Chair",
        "자",
    ]
    assert snippet(text, "zeppelin", 20).startswith("a long way")
