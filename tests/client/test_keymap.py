from collections.abc import Iterator
from pathlib import Path

import pytest

from client_tui import keymap
from client_tui.keys_page import page


@pytest.fixture(autouse=True)
def usual_keys() -> Iterator[None]:
    keymap.use({})
    yield
    keymap.use({})


def test_own_keys_are_the_keys_everywhere() -> None:
    assert keymap.use({"chat.offer": ["O"], "*.help": ["?", "f3"], "list.down": ["n"]}) == []
    assert keymap.key_of("chat", "offer") == "O"
    assert {keymap.key_of(context, "help") for context in keymap.CONTEXTS} >= {"?"}
    assert next(one for one in keymap.moves() if one.id == "down").keys == "n"
    own = keymap.own_keys()
    assert (own["chat.offer"], own["browse.help"]) == ("O", "question_mark,f3")


@pytest.mark.parametrize("name", ["chat.nope", "offer", "nowhere.help", "search.earlier"])
def test_what_is_no_action_is_named(name: str) -> None:
    assert keymap.use({name: ["x"], "chat.offer": ["O"]}) == [name]
    assert keymap.key_of("chat", "offer") == "O"


def test_an_action_without_a_key_is_named_too() -> None:
    assert keymap.use({"chat.offer": [], "chat.reserve": [""]}) == ["chat.offer", "chat.reserve"]


def test_letters_do_nothing_in_a_text_field() -> None:
    working = {one.id: one.key_while_typing() for one in keymap.actions_of("sell")}
    assert working["help"] == "f1"
    assert working["publish"] == "ctrl+s"
    assert working["jump"] is None
    assert next(keymap.actions_of("browse")).key_while_typing() == "enter"


def test_the_page_of_keys_is_the_registry_in_words() -> None:
    written = (Path(__file__).parents[2] / "docs" / "keys.md").read_text("utf-8")
    assert written == page(), "make keys writes it anew"
    for context in set(keymap.CONTEXTS) - keymap.TYPED:
        assert f"`{context}." in written
