"""Every action a key can do: one registry that feeds bindings, footer, palette, help and docs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from textual.binding import Binding
from textual.keys import _character_to_key, key_to_character


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does.

    ``id`` names the method ``do_<id>`` of the screen or app; ``keys`` are Textual key names,
    comma-separated, the first one is shown; ``contexts`` are the screens it belongs to
    (``*`` is every screen). ``shown`` is its place in the footer, 0 for none; ``priority`` keys
    work while a text field has the focus.
    """

    id: str
    keys: str
    label: str
    help: str
    contexts: tuple[str, ...]
    shown: int = 0
    priority: bool = False
    label_key: str | None = None

    @property
    def key(self) -> str:
        """The key as it is written for people."""
        return self.label_key or pretty_key(self.keys.split(",")[0])

    @property
    def all_keys(self) -> str:
        """All its keys, as they are written for people."""
        return " ".join(pretty_key(key) for key in self.keys.split(","))

    def key_while_typing(self) -> str | None:
        """The key that does it in a text field, where letters are text; None when none does."""
        works = [key for key in self.keys.split(",") if not _is_typed(key)]
        return pretty_key(works[0]) if works else None


def _is_typed(key: str) -> bool:
    character = key_to_character(_SHORT.get(key, key))
    return character is not None and character.isprintable()


_SHORT = {"slash": "/"}


_PRETTY = {
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "enter": "enter",
    "upper_g": "G",
    "plus": "+",
    "minus": "-",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "full_stop": ".",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


def pretty_key(key: str) -> str:
    """``ctrl+o`` stays, ``question_mark`` is ``?``."""
    head, plus, last = key.rpartition("+")
    return head + plus + _PRETTY.get(last, last)


def _in(*contexts: str) -> tuple[str, ...]:
    return contexts


ANYWHERE = _in("*")

ACTIONS: tuple[Action, ...] = (
    Action("help", "question_mark,f1", "help", "Show the keys of this screen", ANYWHERE, 99),
    Action("back", "escape", "back", "One step back", ANYWHERE, 97),
    Action("jump", "g", "go", "Go to another part of the market; g g to the top", ANYWHERE, 98),
    Action("refresh", "ctrl+r", "refresh", "Ask the server again", ANYWHERE),
    Action("quit", "ctrl+q", "quit", "Leave Picky", ANYWHERE, priority=True),
    # Browse
    Action("open", "enter", "open", "Open the listing", _in("browse"), 1),
    Action("search", "slash", "search", "Search as you type", _in("browse"), 4),
    Action(
        "filter", "f", "filter", "Narrow by category, price, condition and more", _in("browse"), 5
    ),
    Action("sort", "s", "sort", "Choose the order", _in("browse"), 6),
    Action("sell", "n", "sell", "Sell something", _in("browse", "profile"), 7),
    Action("chat", "c", "chat", "Talk to the seller", _in("browse", "listing"), 2),
    Action("like", "l", "like", "Like it, or no longer", _in("browse", "listing"), 3),
    Action("recent", "r", "recent", "What you looked at lately", _in("browse")),
    Action("likes", "L", "liked", "What you like", _in("browse")),
    Action("clear", "x", "clear", "Clear search and filters", _in("browse")),
    # Browse, in the search line
    Action("to_cards", "enter", "to the list", "To what was found", _in("search"), 1),
    Action("earlier", "up", "earlier searches", "What you searched for before", _in("search"), 2),
    # Listing
    Action("photos", "enter,v", "photos", "See the photos full-screen", _in("listing"), 1),
    Action("offer", "o", "offer", "Offer a price", _in("listing"), 4),
    Action("seller", "p", "seller", "See the seller's profile", _in("listing"), 6),
    Action("report", "!", "report", "Report it", _in("listing", "person", "chat"), label_key="!"),
    Action("edit", "e", "edit", "Edit your listing", _in("listing"), 5),
    Action("publish", "P", "publish", "Put the draft up for sale", _in("listing"), 5),
    Action("delete", "D", "delete", "Delete your listing", _in("listing")),
    Action("sold_elsewhere", "m", "sold", "Say that it is sold elsewhere", _in("listing"), 6),
    Action("undo_sold_elsewhere", "u", "undo sold", "Put it on sale again", _in("listing"), 6),
    Action("copy", "y", "copy", "Copy to the clipboard", _in("listing", "chat", "trade")),
    # Sell and edit
    Action(
        "publish", "ctrl+s", "save", "Put it up for sale, or save", _in("sell"), 1, priority=True
    ),
    Action("add_photo", "ctrl+o", "photo", "Add photos", _in("sell"), 2, priority=True),
    Action(
        "preview", "f2", "preview", "See it as buyers will see it", _in("sell"), 3, priority=True
    ),
    Action("form", "f2", "form", "Back to the form", _in("preview"), 1),
    # Chats
    Action("open_room", "enter", "open", "Open the chat", _in("chats"), 1),
    Action("room_listing", "v", "listing", "See the listing it is about", _in("chats"), 2),
    Action("mute", "m", "mute", "Mute it, or no longer", _in("chats"), 3),
    Action("search", "slash", "search", "Search in all chats", _in("chats"), 4),
    Action("leave_room", "X", "leave", "Leave the chat; it is off the list", _in("chats"), 5),
    # Search in messages
    Action("open_hit", "enter", "open", "Open its chat, at the message", _in("message_search"), 1),
    Action("search", "slash", "search", "Back to the search line", _in("message_search"), 2),
    # Search in messages, in the search line
    Action("to_hits", "enter", "to the list", "To what was found", _in("words"), 1),
    # A chat: reading
    Action("write", "i,tab", "write", "Write a message", _in("chat"), 1),
    Action("accept", "a", "accept", "Accept the offer, or the time and place", _in("chat"), 2),
    Action("decline", "d", "decline", "Decline the offer, or the meeting", _in("chat"), 3),
    Action("counter", "c", "counter", "Answer with another price", _in("chat"), 4),
    Action("withdraw", "w", "withdraw", "Take your offer back", _in("chat"), 4),
    Action("offer", "o", "offer", "Offer a price", _in("chat"), 5),
    Action("reserve", "R", "reserve", "Reserve it for them", _in("chat"), 6),
    Action("appointment", "p", "meet", "Propose when and where to meet", _in("chat"), 7),
    Action("no_show", "N", "did not come", "Say that they did not come", _in("chat")),
    Action("contest", "C", "contest", "Contest that you did not come", _in("chat")),
    Action("trade", "t", "trade", "See the trade", _in("chat"), 8),
    Action("room_listing", "v", "listing", "See the listing it is about", _in("chat"), 9),
    Action("retry", "r", "retry", "Send it again; load it again", _in("chat"), 2),
    Action("edit_message", "e", "edit", "Edit a message that is not sent yet", _in("chat"), 3),
    Action("remove", "x", "delete", "Discard an unsent message, delete your own", _in("chat"), 4),
    Action("photo_out", "minus", "photo out", "Take a photo out of an unsent one", _in("chat"), 4),
    Action("open_message", "enter", "open", "See its photos full-screen", _in("chat")),
    Action("newest", "G,end", "newest", "To the newest message", _in("chat")),
    Action("first", "home", "first", "To where the chat begins", _in("chat")),
    Action("unread", "u", "unread", "To the first unread message", _in("chat")),
    Action("to_date", "D", "date", "To a date", _in("chat")),
    Action("search", "slash", "search", "Search in this chat", _in("chat")),
    Action("next_hit", "n", "next hit", "To the next message that was found", _in("chat")),
    Action("hit_before", "b", "hit before", "To the one found before", _in("chat")),
    Action("person", "P", "profile", "See their profile", _in("chat")),
    Action("mute", "m", "mute", "Mute it, or no longer", _in("chat")),
    Action("leave_room", "X", "leave", "Leave the chat; it is off the list", _in("chat")),
    # A chat: writing
    Action("send", "enter", "send", "Send", _in("composer"), 1, priority=True),
    Action(
        "newline",
        "ctrl+j,shift+enter",
        "line",
        "Begin a new line",
        _in("composer"),
        3,
        priority=True,
    ),
    Action("add_photo", "ctrl+o", "photo", "Add photos", _in("composer"), 2, priority=True),
    Action("add_photo", "ctrl+o", "photo", "Add photos", _in("chat")),
    Action(
        "quick_reply",
        "ctrl+t",
        "replies",
        "Quick replies: pick one, or edit them",
        _in("composer"),
        5,
        priority=True,
    ),
    Action("quick_reply", "ctrl+t", "replies", "Quick replies", _in("chat")),
    Action("leave", "escape", "history", "To the history", _in("composer"), 4, priority=True),
    # Outbox
    Action("open_waiting", "enter", "open", "Open it in its chat", _in("outbox"), 1),
    Action("retry", "r", "retry", "Send it again", _in("outbox"), 2),
    Action("edit_message", "e", "edit", "Edit it", _in("outbox"), 3),
    Action("remove", "x", "discard", "Discard it", _in("outbox"), 4),
    # Trades
    Action("open_trade", "enter", "open", "Open the trade", _in("trades"), 1),
    Action("trade_chat", "t,c", "chat", "Go to its chat", _in("trades"), 2),
    Action("narrow", "f", "show", "Selling, buying or both", _in("trades"), 3),
    # A trade
    Action("confirm", "c", "confirm", "Handed over, or received", _in("trade"), 1),
    Action("ship", "s", "shipped", "Say how it was sent", _in("trade"), 1),
    Action("review", "r", "review", "Review the other side", _in("trade"), 1),
    Action("undo", "u", "undo", "Take your confirmation back", _in("trade"), 2),
    Action("problem", "p", "problem", "Report a problem; stops the clock", _in("trade"), 3),
    Action("withdraw_problem", "w", "solved", "Take your report back", _in("trade"), 3),
    Action("consent_cancel", "k", "let cancel", "Let the seller cancel", _in("trade"), 3),
    Action("cancel", "x", "cancel", "Cancel the trade, with a reason", _in("trade"), 4),
    Action("trade_chat", "t", "chat", "Go to its chat", _in("trade"), 5),
    Action("trade_listing", "v", "listing", "See the listing", _in("trade"), 6),
    # Notifications
    Action("open_notice", "enter", "open", "Go to what it is about", _in("notifications"), 1),
    Action("all_read", "a", "all read", "Mark everything read", _in("notifications"), 2),
    # Oneself
    Action("settings", "tab,comma", "settings", "To the settings and back", _in("profile"), 8),
    Action("blocked", "B", "blocked", "Whom you block", _in("profile"), 9),
    # Blocked people
    Action("open_person", "enter", "profile", "See their profile", _in("blocked"), 1),
    Action("unblock", "u", "unblock", "Block them no longer", _in("blocked"), 2),
    # Somebody's profile
    Action("follow", "f", "follow", "Follow, or no longer", _in("person"), 1),
    Action("block", "B", "block", "Block, or no longer", _in("person"), 2),
    # First run
    Action("demo", "f2", "demo", "A demo market on this machine", _in("welcome"), 1),
    # The market did not open
    Action("again", "enter,r", "try again", "Ask the server again", _in("closed"), 1),
    Action("sign_in", "s", "sign in", "Sign in, perhaps at another server", _in("closed"), 2),
    # Photo viewer
    Action("next", "right,l,n,space", "next", "Next photo", _in("viewer"), 1, label_key="→"),
    Action("previous", "left,h,p", "previous", "Previous photo", _in("viewer"), 2, label_key="←"),
    Action("outside", "o", "open outside", "Open in the system's viewer", _in("viewer"), 3),
)

TYPED = frozenset({"search", "words"})
"""The contexts of search lines."""
CONTEXTS = tuple(sorted({name for action in ACTIONS for name in action.contexts} - {"*"}))

MOVES: tuple[Action, ...] = (
    Action("down", "down,j", "down", "Down", _in("list")),
    Action("up", "up,k", "up", "Up", _in("list")),
    Action("page_down", "pagedown", "page down", "A page down", _in("list")),
    Action("page_up", "pageup", "page up", "A page up", _in("list")),
    Action("home", "home", "first", "To the first", _in("list")),
    Action("end", "end,G", "last", "To the last", _in("list")),
    Action("open", "enter", "open", "Open", _in("list")),
)
"""The keys of whatever can be scrolled."""

_own: dict[str, str] = {}
"""The person's own keys by ``context.action``, one set for the whole run."""


def use(wanted: Mapping[str, Sequence[str]]) -> list[str]:
    """Take the person's own keys, by ``context.action``; the answer names what is no action.

    ``*.help`` is the action of that name on every screen.
    """
    _own.clear()
    unknown = []
    for name, keys in wanted.items():
        context, _, action_id = name.partition(".")
        contexts = ("*", *CONTEXTS) if context == "*" else (context,)
        names = [f"{one}.{action_id}" for one in contexts if f"{one}.{action_id}" in _KNOWN]
        if not (names and keys and all(keys)):
            unknown.append(name)
            continue
        for one in names:
            _own[one] = ",".join(_long_name(key) for key in keys)
    return unknown


def own_keys() -> dict[str, str]:
    """The person's own keys, ready for ``App.set_keymap``."""
    return dict(_own)


def _long_name(key: str) -> str:
    """``?`` is ``question_mark`` to Textual."""
    return _character_to_key(key) if len(key) == 1 else key


def _effective(action: Action, context: str) -> Action:
    """An action with the keys that it has on this machine."""
    keys = _own.get(f"{context}.{action.id}")
    return action if keys is None else replace(action, keys=keys, label_key=None)


def actions_of(context: str) -> Iterator[Action]:
    """The actions of a screen, its own first."""
    if context != "*":
        yield from (_effective(one, context) for one in ACTIONS if context in one.contexts)
    yield from (_effective(one, context) for one in ACTIONS if "*" in one.contexts)


def bindings_of(context: str) -> list[Binding]:
    """Textual bindings of a screen; their ids let the user map them to other keys."""
    return [
        Binding(
            action.keys,
            f"do('{action.id}')",
            action.label,
            show=False,
            priority=action.priority,
            id=f"{context}.{action.id}",
            tooltip=action.help,
        )
        for action in actions_of(context)
    ]


def move_bindings(**does: str) -> list[Binding]:
    """Textual bindings of what can be scrolled: the Textual action of each of :data:`MOVES`."""
    return [
        Binding(move.keys, does[move.id], move.help, show=False, id=f"list.{move.id}")
        for move in MOVES
        if move.id in does
    ]


def moves() -> list[Action]:
    """The keys of whatever can be scrolled, as they are on this machine."""
    return [_effective(move, "list") for move in MOVES]


def every_action() -> Iterator[tuple[str, list[Action]]]:
    """Every context with the actions that are its own."""
    yield "*", list(actions_of("*"))
    yield "list", moves()
    for context in CONTEXTS:
        yield context, [one for one in actions_of(context) if "*" not in one.contexts]


def footer_of(context: str) -> list[Action]:
    """The actions the footer shows, in order."""
    return sorted((a for a in actions_of(context) if a.shown), key=lambda action: action.shown)


def key_of(context: str, action_id: str) -> str:
    """The key of an action, as it is written for people; ``KeyError`` when there is none."""
    for action in actions_of(context):
        if action.id == action_id:
            return action.key
    raise KeyError(action_id)


_KNOWN = frozenset(
    f"{context}.{action.id}"
    for context in ("*", *CONTEXTS)
    for action in actions_of(context)
    if context not in TYPED  # these keys are the text field's own
) | {f"list.{move.id}" for move in MOVES}
