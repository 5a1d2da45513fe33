"""The frames of ``GET /v1/realtime``, subprotocol ``picky.v1.json``."""

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from shared_models import bounds
from shared_models.base import Body, Id, Time, Wire
from shared_models.chat import SendMessage, Seq
from shared_models.text import Line

SUBPROTOCOL = "picky.v1.json"


class EventKind(StrEnum):
    """What an event carries; ``data`` is the whole new object."""

    MESSAGE_NEW = "message.new"
    MESSAGE_DELETED = "message.deleted"
    CHATROOM_READ = "chatroom.read"
    CHATROOM_CHANGED = "chatroom.changed"
    LISTING_CHANGED = "listing.changed"
    OFFER_CHANGED = "offer.changed"
    APPOINTMENT_CHANGED = "appointment.changed"
    TRADE_CHANGED = "trade.changed"
    NOTIFICATION_NEW = "notification.new"
    NOTIFICATION_READ = "notification.read"
    ACCOUNT_CHANGED = "account.changed"


class CloseCode(IntEnum):
    """4000–4499: reconnect. 4500–4999: do not."""

    DRAINING = 4000
    SLOW_CONSUMER = 4001
    HEARTBEAT = 4002
    POSITION_LOST = 4003
    RATE_LIMITED = 4006
    NO_HELLO = 4007
    UNAUTHENTICATED = 4500
    PROTOCOL_VIOLATION = 4501
    UNSUPPORTED_VERSION = 4502
    TOO_MANY_CONNECTIONS = 4503
    SUSPENDED = 4504


Tag = Annotated[str, StringConstraints(min_length=1, max_length=64)]
ClientName = Annotated[str, Line(bounds.DEVICE_MAX)]


class Hello(Body):
    """First and once; without ``pos`` the connection starts live at the head."""

    t: Literal["hello"] = "hello"
    ticket: Annotated[str, StringConstraints(max_length=128)] | None = None
    epoch: Id | None = None
    pos: Seq | None = None
    device: ClientName = ""
    client: ClientName = ""


class Send(SendMessage):
    """A message; answered ``ok`` after its commit, or ``err``."""

    t: Literal["send"] = "send"
    id: Tag
    chatroom_id: Id


class Read(Body):
    """Everything up to ``seq`` was seen."""

    t: Literal["read"] = "read"
    chatroom_id: Id
    seq: Seq


class Typing(Body):
    """At most one per 3 s and room."""

    t: Literal["typing"] = "typing"
    chatroom_id: Id
    on: bool


class Open(Body):
    """This device looks at the room."""

    t: Literal["open"] = "open"
    chatroom_id: Id


class Close(Body):
    """This device no longer looks at the room."""

    t: Literal["close"] = "close"
    chatroom_id: Id


class Pong(Body):
    """The answer to ``ping``."""

    t: Literal["pong"] = "pong"
    n: Seq


ClientFrame = Annotated[
    Hello | Send | Read | Typing | Open | Close | Pong, Field(discriminator="t")
]


class Welcome(Wire):
    """The connection is live from ``pos``."""

    t: Literal["welcome"] = "welcome"
    connection: Id
    account_id: Id
    epoch: Id
    pos: int
    resumed: bool
    ping_s: float
    limits: dict[str, Any]
    server_time: Time


class Event(Wire):
    """One step of the account's stream; ``pos`` rises by exactly one."""

    t: Literal["event"] = "event"
    pos: int
    kind: EventKind
    data: dict[str, Any]


class Batch(Wire):
    """Catch-up: at most 200 events or 256 KiB."""

    t: Literal["batch"] = "batch"
    events: list[Event]
    more: bool


class Ephemeral(Wire):
    """May be dropped; expires by itself after ``ttl_ms``."""

    t: Literal["ephemeral"] = "ephemeral"
    kind: Literal["typing", "presence"]
    chatroom_id: Id
    data: dict[str, Any]
    ttl_ms: int


class Ok(Wire):
    """A send is on disk. ``id`` is that of the ``send``."""

    t: Literal["ok"] = "ok"
    id: str
    chatroom_id: Id
    cid: Id
    seq: int
    message_id: Id
    created_at: Time
    duplicate: bool


class Err(Wire):
    """A frame was refused and nothing was stored."""

    t: Literal["err"] = "err"
    id: str | None = None
    code: str
    retryable: bool
    retry_ms: int | None = None
    detail: str


class Ping(Wire):
    """The account's head, every 25 s ± 20 %."""

    t: Literal["ping"] = "ping"
    n: int
    pos: int


class Reset(Wire):
    """Throw the position away and bootstrap."""

    t: Literal["reset"] = "reset"
    reason: Literal["epoch", "too_old", "too_far"]


class Bye(Wire):
    """The node drains, or too many come at once (``busy``); a close follows."""

    t: Literal["bye"] = "bye"
    reconnect_in_ms: int
    reason: str


ServerFrame = Annotated[
    Welcome | Event | Batch | Ephemeral | Ok | Err | Ping | Reset | Bye,
    Field(discriminator="t"),
]

client_frame: TypeAdapter[ClientFrame] = TypeAdapter(ClientFrame)
server_frame: TypeAdapter[ServerFrame] = TypeAdapter(ServerFrame)
