"""What people do: assumptions, one line each with why. All of them are flags.

Rates are an hour for each connected user, at the hour of the day when most are connected.
"""

from dataclasses import Field, dataclass, field, fields
from typing import Any


def _habit(usual: float, what: str, why: str) -> Any:
    return field(default=usual, metadata={"what": what, "why": why})


@dataclass(frozen=True, slots=True)
class Habits:
    """Each is a flag of the same name, ``looking`` is ``--looking``."""

    devices: float = _habit(
        1.1, "sockets a connected user", "most have one terminal open, some have two"
    )
    looking: float = _habit(
        0.2, "share of the connected who look at a chat", "the others browse, or are away"
    )
    messages: float = _habit(
        30.0,
        "messages an hour of who looks at a chat",
        "one every two minutes: bargaining, not talk",
    )
    heard: float = _habit(
        0.5,
        "share of messages whose reader is connected",
        "buyers ask in the evening, as sellers sit",
    )
    marks: float = _habit(
        0.5, "read marks for each message", "one mark stands for all lines that came together"
    )
    typing: float = _habit(1.0, "signs of typing for each message", "at most one every 3 s")
    chats: float = _habit(4.0, "chats opened, a page of history each", "answers are looked up")
    room_lists: float = _habit(2.0, "room lists read", "from the copies on disk, if not from here")
    pages: float = _habit(20.0, "pages of the market", "browsing is what most came for")
    searches: float = _habit(4.0, "searches", "one for every five pages")
    views: float = _habit(12.0, "listings looked at", "three of the cards of five pages")
    likes: float = _habit(1.0, "likes", "one of twelve listings looked at")
    rooms: float = _habit(
        0.3, "rooms opened", "one of forty listings looked at; the rule's most is 10"
    )
    listings: float = _habit(
        0.1, "listings put on sale", "one in ten hours; the rule's most is 20 a day"
    )
    photos: float = _habit(0.4, "photos uploaded", "three a listing, and some in chats")
    trades: float = _habit(0.05, "trades carried through", "one of two listings is sold here")
    sign_ins: float = _habit(0.02, "sign-ins with a password", "a session stays for months")
    drops: float = _habit(0.5, "lines lost", "machines sleep, networks change")
    resets: float = _habit(0.05, "bootstraps", "who was away for more than a week or 1,000 events")
    minutes: float = _habit(
        40.0, "minutes that somebody stays connected", "an evening's look around"
    )


def table() -> list[Field[Any]]:
    """The habits in order, with ``what`` and ``why`` in their metadata."""
    return list(fields(Habits))
