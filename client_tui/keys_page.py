"""``docs/keys.md``: every key of the app, from the registry. ``make keys`` writes it."""

import sys

from client_tui.keymap import MOVES, TYPED, Action, actions_of

_PLACES = (
    ("browse", "Browse"),
    ("search", "Browse, in the search line"),
    ("listing", "A listing"),
    ("sell", "Sell and edit"),
    ("preview", "Sell and edit, the preview"),
    ("chats", "Chats"),
    ("message_search", "Search in messages"),
    ("words", "Search in messages, in the search line"),
    ("chat", "A chat: reading"),
    ("composer", "A chat: writing"),
    ("outbox", "Outbox"),
    ("trades", "Trades"),
    ("trade", "A trade"),
    ("notifications", "Notifications"),
    ("profile", "Profile and settings"),
    ("blocked", "Blocked people"),
    ("person", "Somebody's profile"),
    ("viewer", "Photos full-screen"),
    ("welcome", "Sign in"),
    ("closed", "The market did not open"),
)

_HEAD = """\
# Keys

`?` (in a text field `f1`) shows the keys of the screen in front, `ctrl+p` finds everything by name.
This page is made from the registry in `client_tui/keymap.py` by `make keys`.

Any of them can be another one. In the settings file (`config.toml` in Picky's folder of settings):

```toml
[keys]
"composer.send" = ["ctrl+g"]       # enter begins a new line then
"*.help" = ["f1", "?"]             # on every screen
"list.down" = ["down", "j", "ctrl+n"]
```
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, _section("Everywhere", "*", list(actions_of("*")))]
    parts.append(_section("Lists and texts", "list", list(MOVES)))
    for context, title in _PLACES:
        own = [action for action in actions_of(context) if "*" not in action.contexts]
        parts.append(_section(title, context, own))
    return "\n".join(parts)


def _section(title: str, context: str, actions: list[Action]) -> str:
    rows = [
        f"| {_keys(action)} | {action.help} | {_name(context, action)} |\n" for action in actions
    ]
    return f"## {title}\n\n| key | does | name |\n|---|---|---|\n" + "".join(rows)


def _name(context: str, action: Action) -> str:
    """What it is called in the settings; nothing where the key is the text field's own."""
    return "" if context in TYPED else f"`{context}.{action.id}`"


def _keys(action: Action) -> str:
    return " ".join(f"`{key}`" for key in action.all_keys.split(" "))


if __name__ == "__main__":
    sys.stdout.write(page())
