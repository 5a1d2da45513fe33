"""What this client knows: plain state, and one pure reducer for each kind of event.

Nothing here touches the network, the disk or Textual. ``reset`` takes a bootstrap, ``apply`` an
event; both publish typed changes to whoever subscribed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from client_tui.core.cache import Copies
from client_tui.core.changes import Change as Step
from client_tui.core.outbox import OutboxMessage
from client_tui.core.rooms import newer, with_deleted, with_message, with_read_mark
from client_tui.core.uploads import Progress
from shared_models.accounts import Account
from shared_models.chat import Chatroom, ChatroomDetail, Message, ReadMark
from shared_models.listings import ListingCard
from shared_models.market import Market
from shared_models.notifications import Notification, NotificationsSeen
from shared_models.realtime import EventKind, Ok
from shared_models.sync import Bootstrap
from shared_models.trades import Appointment, Offer, Trade


@dataclass(frozen=True, slots=True)
class Reset:
    """Everything may be different."""


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """A room's header, unread count, read marks or last message."""

    room_id: UUID


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A message came, or became a tombstone."""

    message: Message


@dataclass(frozen=True, slots=True)
class ListingChanged:
    """A listing's card."""

    card: ListingCard


@dataclass(frozen=True, slots=True)
class OfferChanged:
    """An offer in one of the rooms."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class AppointmentChanged:
    """An appointment in one of the rooms."""

    appointment: Appointment


@dataclass(frozen=True, slots=True)
class TradeChanged:
    """A trade."""

    trade: Trade


@dataclass(frozen=True, slots=True)
class NotificationCame:
    """A new notice."""

    notification: Notification


@dataclass(frozen=True, slots=True)
class NotificationsRead:
    """Everything up to a notice was read, here or on another device; of a chat only its own."""

    up_to_id: UUID
    chatroom_id: UUID | None


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """One's own account."""


@dataclass(frozen=True, slots=True)
class DeliveryChanged:
    """A message on its way is in another state, or a photo of it has got further."""

    message: OutboxMessage
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The server has a message; its own event comes before or after this (R3)."""

    message: OutboxMessage
    ok: Ok


@dataclass(frozen=True, slots=True)
class Discarded:
    """A message that waited will not be sent."""

    message: OutboxMessage


@dataclass(frozen=True, slots=True)
class OutboxChanged:
    """Another window may have sent or discarded what waits, or written more."""


@dataclass(frozen=True, slots=True)
class PeerTyping:
    """The other side types for ``seconds`` more; 0 when it stopped."""

    room_id: UUID
    seconds: float


@dataclass(frozen=True, slots=True)
class PeerHere:
    """The other side looks at the room for ``seconds`` more; 0 when it looked away."""

    room_id: UUID
    seconds: float


Change = (
    Reset
    | DeliveryChanged
    | Sent
    | Discarded
    | OutboxChanged
    | PeerTyping
    | PeerHere
    | RoomChanged
    | MessageChanged
    | ListingChanged
    | OfferChanged
    | AppointmentChanged
    | TradeChanged
    | NotificationCame
    | NotificationsRead
    | AccountChanged
)
Listener = Callable[[Change], None]


@dataclass(slots=True)
class State:
    """The state as plain data; compare two of these to compare two clients."""

    account: Account | None = None
    epoch: UUID | None = None
    pos: int = 0
    rooms: dict[UUID, Chatroom] = field(default_factory=dict)
    trades: dict[UUID, Trade] = field(default_factory=dict)
    unread_notifications: int = 0


class Store:
    """The state, its reducers and its subscribers."""

    def __init__(self, market: Market | None = None) -> None:
        self.market = market
        self.state = State()
        self._listeners: list[Listener] = []
        self.on_failure: Callable[[Exception], None] = _raise
        """Hears what a subscriber raised."""
        self.on_unknown_room: Callable[[Message], None] = lambda message: None
        """Hears a new message of a room that is not known."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear every change; the answer ends it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    @property
    def me(self) -> UUID | None:
        """Whose client this is."""
        return self.state.account.id if self.state.account else None

    def rooms_by_activity(self) -> list[Chatroom]:
        """Newest activity first, as in the room list; without those that were left."""
        listed = [room for room in self.state.rooms.values() if not room.left]
        return sorted(listed, key=lambda room: (room.active_at, room.id), reverse=True)

    def unread_total(self) -> int:
        """Unread messages in all rooms that are neither muted nor left."""
        return sum(room.unread for room in self.rooms_by_activity() if not room.muted)

    def reset(self, bootstrap: Bootstrap) -> None:
        """Start over from a bootstrap."""
        self.state = State(
            account=bootstrap.account,
            epoch=bootstrap.epoch,
            pos=bootstrap.pos,
            rooms={room.id: room for room in bootstrap.chatrooms},
            trades={trade.id: trade for trade in bootstrap.trades},
            unread_notifications=bootstrap.unread_notifications,
        )
        self.publish(Reset())

    def apply(self, step: Step) -> None:  # noqa: C901 - one case a kind of event
        """Take one step of the stream; one that was taken already is ignored."""
        if step.pos <= self.state.pos:
            return
        self.state.pos = step.pos
        match step.data:
            case Message():
                self._take_message(step.data, deleted=step.kind == EventKind.MESSAGE_DELETED)
            case ReadMark():
                self.mark_read(step.data)
            case ChatroomDetail():
                self.put_room(step.data)
            case ListingCard():
                self._take_listing(step.data)
            case Offer():
                self._update_detail(step.data.chatroom_id, offer=step.data)
                self.publish(OfferChanged(step.data))
            case Appointment():
                self._update_detail(step.data.chatroom_id, appointment=step.data)
                self.publish(AppointmentChanged(step.data))
            case Trade():
                self.put_trade(step.data)
            case Notification():
                self._take_notification(step.data)
            case NotificationsSeen():
                self._take_seen(step.data)
            case Account():
                self.put_account(step.data)

    def restore(self, copies: Copies) -> None:
        """Show the copies of the last time until the line has caught up."""
        self.state = State(
            account=copies.account,
            epoch=UUID(copies.position.epoch),
            pos=copies.position.pos,
            rooms={room.id: room for room in copies.rooms},
            trades={trade.id: trade for trade in copies.trades},
            unread_notifications=copies.unread_notifications,
        )
        self.publish(Reset())

    def clear(self) -> None:
        """Nobody is signed in any more."""
        self.state = State()
        self.publish(Reset())

    def put_room(self, room: Chatroom) -> None:
        """Take a room that was read from the server; what was heard since stays."""
        self.state.rooms[room.id] = newer(self.state.rooms.get(room.id), room)
        self.publish(RoomChanged(room.id))

    def put_trade(self, trade: Trade) -> None:
        """Take a trade as the server answered it; an older version is ignored."""
        known = self.state.trades.get(trade.id)
        if known is not None and known.version > trade.version:
            return
        self.state.trades[trade.id] = trade
        self._update_detail(trade.chatroom_id, trade=trade)
        self.publish(TradeChanged(trade))

    def put_account(self, account: Account) -> None:
        """Take one's own account as the server answered it."""
        self.state.account = account
        self.publish(AccountChanged())

    def mark_read(self, mark: ReadMark) -> None:
        """Take a read mark; it only moves up."""
        room = self.state.rooms.get(mark.chatroom_id)
        if room is not None and self.me is not None:
            self.put_room(with_read_mark(room, mark, self.me))

    def _take_message(self, message: Message, *, deleted: bool) -> None:
        room = self.state.rooms.get(message.chatroom_id)
        if room is not None and self.me is not None:
            self.put_room(
                with_deleted(room, message) if deleted else with_message(room, message, self.me)
            )
        elif not deleted:
            self.on_unknown_room(message)
        self.publish(MessageChanged(message))

    def _take_listing(self, card: ListingCard) -> None:
        for room in list(self.state.rooms.values()):
            if room.listing.id == card.id:
                self.put_room(room.model_copy(update={"listing": card}))
        self.publish(ListingChanged(card))

    def _take_notification(self, notification: Notification) -> None:
        if not notification.read:
            self.state.unread_notifications += 1
        self.publish(NotificationCame(notification))

    def _take_seen(self, seen: NotificationsSeen) -> None:
        self.state.unread_notifications = seen.unread
        self.publish(NotificationsRead(seen.up_to_id, seen.chatroom_id))

    def _update_detail(self, room_id: UUID, **parts: Any) -> None:
        room = self.state.rooms.get(room_id)
        if isinstance(room, ChatroomDetail):
            self.state.rooms[room_id] = room.model_copy(update=parts)
            self.publish(RoomChanged(room_id))

    def publish(self, change: Change) -> None:
        """Tell every subscriber; one that fails stops neither the others nor the line."""
        for listener in list(self._listeners):
            try:
                listener(change)
            except Exception as error:  # noqa: BLE001 - whatever it is, the state is right
                self.on_failure(error)


def _raise(error: Exception) -> None:
    raise error
