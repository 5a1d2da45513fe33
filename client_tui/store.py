"""What this client knows: plain state, and one pure reducer for each kind of event.

Nothing here touches the network, the disk or Textual. ``reset`` takes a bootstrap, ``apply`` an
event; both publish typed changes to whoever subscribed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared_models.accounts import Account
from shared_models.chat import Chatroom, ChatroomDetail, Message, ReadMark
from shared_models.listings import ListingCard
from shared_models.market import Market
from shared_models.notifications import Notification
from shared_models.realtime import Event, EventKind
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
class AccountChanged:
    """One's own account, or the count of unread notices."""


Change = (
    Reset
    | RoomChanged
    | MessageChanged
    | ListingChanged
    | OfferChanged
    | AppointmentChanged
    | TradeChanged
    | NotificationCame
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
        """Newest activity first, as in the room list."""
        return sorted(
            self.state.rooms.values(), key=lambda room: (room.active_at, room.id), reverse=True
        )

    def unread_total(self) -> int:
        """Unread messages in all rooms that are not muted."""
        return sum(room.unread for room in self.state.rooms.values() if not room.muted)

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
        self._publish(Reset())

    def apply(self, event: Event) -> None:
        """Take one step of the stream; one that was taken already is ignored."""
        if event.pos <= self.state.pos:
            return
        self.state.pos = event.pos
        _REDUCERS[event.kind](self, event.data)

    def put_room(self, room: Chatroom) -> None:
        """Take a room that was read from the server."""
        self.state.rooms[room.id] = room
        self._publish(RoomChanged(room.id))

    def put_trade(self, trade: Trade) -> None:
        """Take a trade as the server answered it; an older version is ignored."""
        known = self.state.trades.get(trade.id)
        if known is not None and known.version > trade.version:
            return
        self.state.trades[trade.id] = trade
        self._update_detail(trade.chatroom_id, trade=trade)
        self._publish(TradeChanged(trade))

    def put_account(self, account: Account) -> None:
        """Take one's own account as the server answered it."""
        self.state.account = account
        self._publish(AccountChanged())

    def notifications_read(self, unread: int) -> None:
        """Set how many notices are unread."""
        self.state.unread_notifications = unread
        self._publish(AccountChanged())

    def mark_read(self, mark: ReadMark) -> None:
        """Take a read mark; it only moves up."""
        room = self.state.rooms.get(mark.chatroom_id)
        if room is None:
            return
        if mark.account_id == self.me:
            update = {"read_seq": max(room.read_seq, mark.seq), "unread": mark.unread}
        else:
            update = {"peer_read_seq": max(room.peer_read_seq, mark.seq)}
        self.state.rooms[room.id] = room.model_copy(update=update)
        self._publish(RoomChanged(room.id))

    def _message_new(self, data: dict[str, Any]) -> None:
        message = Message.model_validate(data)
        room = self.state.rooms.get(message.chatroom_id)
        if room is not None and message.seq > room.last_seq:
            update: dict[str, Any] = {
                "last_message": message,
                "last_seq": message.seq,
                "active_at": message.created_at,
            }
            if not self._is_mine(message):
                update["unread"] = room.unread + 1
            self.state.rooms[room.id] = room.model_copy(update=update)
            self._publish(RoomChanged(room.id))
        self._publish(MessageChanged(message))

    def _is_mine(self, message: Message) -> bool:
        actor = message.system.actor_id if message.system else message.sender_id
        return actor is not None and actor == self.me

    def _message_deleted(self, data: dict[str, Any]) -> None:
        message = Message.model_validate(data)
        room = self.state.rooms.get(message.chatroom_id)
        if room is not None and room.last_message and room.last_message.seq == message.seq:
            self.state.rooms[room.id] = room.model_copy(update={"last_message": message})
            self._publish(RoomChanged(room.id))
        self._publish(MessageChanged(message))

    def _chatroom_read(self, data: dict[str, Any]) -> None:
        self.mark_read(ReadMark.model_validate(data))

    def _chatroom_changed(self, data: dict[str, Any]) -> None:
        self.put_room(ChatroomDetail.model_validate(data))

    def _listing_changed(self, data: dict[str, Any]) -> None:
        card = ListingCard.model_validate(data)
        for room in list(self.state.rooms.values()):
            if room.listing.id == card.id:
                self.state.rooms[room.id] = room.model_copy(update={"listing": card})
                self._publish(RoomChanged(room.id))
        self._publish(ListingChanged(card))

    def _offer_changed(self, data: dict[str, Any]) -> None:
        offer = Offer.model_validate(data)
        self._update_detail(offer.chatroom_id, offer=offer)
        self._publish(OfferChanged(offer))

    def _appointment_changed(self, data: dict[str, Any]) -> None:
        appointment = Appointment.model_validate(data)
        self._update_detail(appointment.chatroom_id, appointment=appointment)
        self._publish(AppointmentChanged(appointment))

    def _trade_changed(self, data: dict[str, Any]) -> None:
        self.put_trade(Trade.model_validate(data))

    def _notification_new(self, data: dict[str, Any]) -> None:
        notification = Notification.model_validate(data)
        if not notification.read:
            self.state.unread_notifications += 1
        self._publish(NotificationCame(notification))

    def _account_changed(self, data: dict[str, Any]) -> None:
        self.put_account(Account.model_validate(data))

    def _update_detail(self, room_id: UUID, **parts: Any) -> None:
        room = self.state.rooms.get(room_id)
        if isinstance(room, ChatroomDetail):
            self.state.rooms[room_id] = room.model_copy(update=parts)
            self._publish(RoomChanged(room_id))

    def _publish(self, change: Change) -> None:
        for listener in list(self._listeners):
            listener(change)


_REDUCERS: dict[EventKind, Callable[[Store, dict[str, Any]], None]] = {
    EventKind.MESSAGE_NEW: Store._message_new,
    EventKind.MESSAGE_DELETED: Store._message_deleted,
    EventKind.CHATROOM_READ: Store._chatroom_read,
    EventKind.CHATROOM_CHANGED: Store._chatroom_changed,
    EventKind.LISTING_CHANGED: Store._listing_changed,
    EventKind.OFFER_CHANGED: Store._offer_changed,
    EventKind.APPOINTMENT_CHANGED: Store._appointment_changed,
    EventKind.TRADE_CHANGED: Store._trade_changed,
    EventKind.NOTIFICATION_NEW: Store._notification_new,
    EventKind.ACCOUNT_CHANGED: Store._account_changed,
}
