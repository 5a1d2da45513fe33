"""Chatrooms and messages."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from shared_models import bounds
from shared_models.accounts import ProfileCard
from shared_models.base import Body, Id, Time, Wire
from shared_models.listings import ListingCard
from shared_models.media import Photo
from shared_models.text import Block
from shared_models.trades import Appointment, Offer, Trade

Seq = Annotated[int, Field(strict=True, ge=0, le=2**53)]
MessageText = Annotated[str, Block(bounds.MESSAGE_MAX)]


class MessageKind(StrEnum):
    """``system`` messages are made by the server only."""

    TEXT = "text"
    PHOTO = "photo"
    SYSTEM = "system"


class SystemNote(Wire):
    """What a system message tells; ``actor_id`` is None for a timer. ``data`` depends on it."""

    event: str
    actor_id: Id | None = None
    data: dict[str, Any] = {}


class MessageWarning(Wire):
    """A warning of the scam guard, for the reader (rule 18)."""

    code: str
    text: str


class Message(Wire):
    """A message. ``seq`` rises by one within its room, without a hole."""

    chatroom_id: Id
    seq: int
    id: Id
    cid: Id | None
    sender_id: Id | None
    kind: MessageKind
    text: str
    photos: list[Photo] = []
    system: SystemNote | None = None
    created_at: Time
    deleted: bool = False
    warning: MessageWarning | None = None


class MessageContent(Body):
    """What a message is made of: text, photos or both (rule 1)."""

    text: MessageText = ""
    # A factory: Pydantic would make a deep copy of a default list, for every message.
    photo_ids: Annotated[list[Id], Field(max_length=bounds.MESSAGE_PHOTOS_MAX)] = Field(
        default_factory=list, json_schema_extra={"default": []}
    )
    confirmed: bool = False

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.text and not self.photo_ids:
            raise ValueError("a message needs text or a photo")
        return self


class SendMessage(MessageContent):
    """``POST /v1/chatrooms/{id}/messages``: text, photos or both (rule 1)."""

    cid: Id


class OpenRoom(Body):
    """``POST /v1/chatrooms``."""

    listing_id: Id


class ReadUpTo(Body):
    """``PUT /v1/chatrooms/{id}/read``."""

    seq: Seq


class Chatroom(Wire):
    """A room as one member sees it, in the room list."""

    id: Id
    listing: ListingCard
    seller_id: Id
    buyer_id: Id
    other: ProfileCard
    state: Literal["open", "read_only"]
    last_message: Message | None
    last_seq: int
    read_seq: int
    peer_read_seq: int
    unread: int
    muted: bool
    left: bool = False
    """The viewer has left it: it is on no list until a new message."""
    created_at: Time
    active_at: Time
    """Time of the last message; the order of the room list is ``(active_at, id)``."""


class ChatroomDetail(Chatroom):
    """A room with all that its header shows."""

    trade: Trade | None
    offer: Offer | None
    appointment: Appointment | None
    no_show: Appointment | None = None
    """The last meeting that somebody is reported to have missed, whatever is arranged since; one
    that the viewer may still contest goes before.
    """
    allowed_actions: list[str]


class MessagePage(Wire):
    """A stretch of history in ascending ``seq``; ``profiles`` once a page, by account id."""

    items: list[Message]
    first_seq: int | None
    last_seq: int | None
    has_more_before: bool
    has_more_after: bool
    profiles: dict[str, ProfileCard]


class ReadMark(Wire):
    """Data of ``chatroom.read``. ``unread`` is the reader's own count, for their other devices."""

    chatroom_id: Id
    account_id: Id
    seq: int
    unread: int
