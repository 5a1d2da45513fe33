"""Events of the account's stream, decoded into shared models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from shared_models.accounts import Account
from shared_models.base import Wire
from shared_models.chat import ChatroomDetail, Message, ReadMark
from shared_models.listings import ListingCard
from shared_models.notifications import Notification, NotificationsSeen
from shared_models.realtime import EventKind
from shared_models.trades import Appointment, Offer, Trade

Data = (
    Message
    | ReadMark
    | ChatroomDetail
    | ListingCard
    | Offer
    | Appointment
    | Trade
    | Notification
    | NotificationsSeen
    | Account
)

_MODELS: Mapping[str, type[Wire]] = {
    EventKind.MESSAGE_NEW: Message,
    EventKind.MESSAGE_DELETED: Message,
    EventKind.CHATROOM_READ: ReadMark,
    EventKind.CHATROOM_CHANGED: ChatroomDetail,
    EventKind.LISTING_CHANGED: ListingCard,
    EventKind.OFFER_CHANGED: Offer,
    EventKind.APPOINTMENT_CHANGED: Appointment,
    EventKind.TRADE_CHANGED: Trade,
    EventKind.NOTIFICATION_NEW: Notification,
    EventKind.NOTIFICATION_READ: NotificationsSeen,
    EventKind.ACCOUNT_CHANGED: Account,
}


@dataclass(frozen=True, slots=True)
class Position:
    """How far this machine has applied the account's stream: all that a resume needs."""

    epoch: str
    pos: int


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the stream. ``data`` is the whole new object.

    It is None for a kind that this version does not know: such a step changes nothing here,
    and is counted all the same.
    """

    pos: int
    kind: str
    data: Data | None


def following(here: Position, epoch: str, changes: Sequence[Change]) -> Sequence[Change] | None:
    """The steps beyond ``here``; None when they do not go on from there.

    Two programs of one account may share a position: the other one is a few steps ahead, or has
    begun anew.
    """
    if here.epoch != epoch or changes[0].pos > here.pos + 1:
        return None
    return [change for change in changes if change.pos > here.pos]


def decode(event: Mapping[str, Any]) -> Change:
    """The change in an event frame; raises ``ValueError`` when it is none."""
    pos, kind = event.get("pos"), event.get("kind")
    if not isinstance(pos, int) or not isinstance(kind, str):
        raise ValueError("an event without pos or kind")
    model = _MODELS.get(kind)
    if model is None:
        return Change(pos, kind, None)
    try:
        data: Any = model.model_validate(event.get("data"))
    except ValidationError as error:
        raise ValueError(f"an event of kind {kind} that does not fit") from error
    return Change(pos, kind, data)
