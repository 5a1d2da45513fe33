"""Who gets what: turns what a transaction announced into the events of its accounts' streams.

Called last, inside the transaction. Messages and reads keep their order, one event each. All
other objects are sent once, as they are at the end, after the messages: a client that applies
them in order ends with the state the server has. Every view of an object is rendered once and its
bytes are shared by all who see it so.
"""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from server.accounts import api as accounts
from server.accounts.events import AccountChanged, SessionEnded
from server.chat import api as chat
from server.chat.events import MessageDeleted, MessagePosted, RoomChanged, RoomOpened, RoomRead
from server.listings import api as listings
from server.listings.events import ListingChanged, ListingPublished
from server.notifications.events import NotificationCreated, NotificationsMarkedRead
from server.platform import streams
from server.platform.bus import Hint
from server.platform.streams import NewEvent
from server.platform.unit_of_work import UnitOfWork
from server.realtime.frames import encode
from server.realtime.hub import SESSION_ENDED
from server.trades import api as trades
from server.trades.api import Seen
from server.trades.events import AppointmentChanged, OfferChanged, TradeChanged
from shared_models.base import Wire
from shared_models.chat import ReadMark
from shared_models.realtime import EventKind


class Feed:
    """The events of one transaction, by account, as they are gathered."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._events: defaultdict[UUID, list[NewEvent]] = defaultdict(list)
        self._listings: dict[UUID, None] = {}
        self._seen: dict[tuple[EventKind, UUID, UUID], None] = {}

    def add(self, account_ids: Iterable[UUID], kind: EventKind, data: Wire) -> None:
        """One event, the same for all of them."""
        new = NewEvent(kind.value, encode(data))
        for account_id in account_ids:
            self._events[account_id].append(new)

    def changed(self, account_ids: Iterable[UUID], kind: EventKind, object_id: UUID) -> None:
        """Each of them will see the object as it is at the end, once."""
        for account_id in account_ids:
            self._seen[kind, object_id, account_id] = None

    def on_message(self, event: MessagePosted | MessageDeleted, kind: EventKind) -> None:
        """A message for both parties; a warning only for its reader."""
        both = (event.seller_id, event.buyer_id)
        if event.message.warning is None:
            self.add(both, kind, event.message)
            return
        for account_id in both:
            self.add((account_id,), kind, chat.seen_by(event.message, account_id))

    def on_listing(self, event: ListingChanged | ListingPublished) -> None:
        """Its card, for its seller and everybody with a room on it."""
        self._listings[event.listing_id] = None

    async def _render_listings(self) -> None:
        facts = await listings.facts_by_id(self._work, self._listings)
        buyers = await chat.buyers_by_listing(self._work, facts) if facts else {}
        viewers = {id_: [one.seller_id, *buyers.get(id_, ())] for id_, one in facts.items()}
        for seen in await listings.cards_seen(self._work, viewers):
            self.add(seen.viewer_ids, EventKind.LISTING_CHANGED, seen.card)

    async def _render_objects(self) -> None:
        """Each kind at once, and the events in the order in which the objects have changed.

        Rooms come last: what ended is not in their headers any more, and a client that takes an
        object into its room's header must hear of that after it.
        """
        by_kind: defaultdict[EventKind, list[Seen]] = defaultdict(list)
        for kind, object_id, account_id in self._seen:
            by_kind[kind].append((object_id, account_id))
        views = {kind: await _RENDERERS[kind](self._work, seen) for kind, seen in by_kind.items()}
        rooms_last = sorted(self._seen, key=lambda one: one[0] is EventKind.CHATROOM_CHANGED)
        for kind, object_id, account_id in rooms_last:
            view = views[kind].get((object_id, account_id))
            if view is not None:
                self.add((account_id,), kind, view)

    async def write(self) -> None:
        """Render what changed and append everything to the streams."""
        await self._render_listings()
        await self._render_objects()
        if self._events:
            await streams.append(self._work, self._events)


async def append_events(work: UnitOfWork, announced: Sequence[Any]) -> None:
    """The handler that ``app`` calls at the end of every transaction."""
    feed = Feed(work)
    for event in announced:
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(feed, event)
    await feed.write()
    for event in announced:
        if isinstance(event, SessionEnded):
            told = json.dumps(str(event.session_id)).encode()
            work.hint(Hint(event.account_id, SESSION_ENDED, told))


def _on_room(feed: Feed, event: RoomOpened) -> None:
    parties = (event.seller_id, event.buyer_id)
    feed.changed(parties, EventKind.CHATROOM_CHANGED, event.room_id)


def _on_read(feed: Feed, event: RoomRead) -> None:
    mark = ReadMark(
        chatroom_id=event.room_id, account_id=event.account_id, seq=event.seq, unread=event.unread
    )
    feed.add(event.seen_by, EventKind.CHATROOM_READ, mark)


def _on_deal(
    feed: Feed, event: TradeChanged | OfferChanged | AppointmentChanged, kind: EventKind, id_: UUID
) -> None:
    """A trade, offer or appointment; what may be done in its room has changed with it."""
    feed.changed(event.seen_by, kind, id_)
    feed.changed(event.seen_by, EventKind.CHATROOM_CHANGED, event.chatroom_id)


_HANDLERS: dict[type, Callable[[Feed, Any], None]] = {
    RoomOpened: _on_room,
    RoomChanged: lambda feed, event: feed.changed(
        event.seen_by, EventKind.CHATROOM_CHANGED, event.room_id
    ),
    MessagePosted: lambda feed, event: feed.on_message(event, EventKind.MESSAGE_NEW),
    MessageDeleted: lambda feed, event: feed.on_message(event, EventKind.MESSAGE_DELETED),
    RoomRead: _on_read,
    ListingChanged: Feed.on_listing,
    ListingPublished: Feed.on_listing,
    OfferChanged: lambda feed, event: _on_deal(
        feed, event, EventKind.OFFER_CHANGED, event.offer_id
    ),
    AppointmentChanged: lambda feed, event: _on_deal(
        feed, event, EventKind.APPOINTMENT_CHANGED, event.appointment_id
    ),
    TradeChanged: lambda feed, event: _on_deal(
        feed, event, EventKind.TRADE_CHANGED, event.trade_id
    ),
    NotificationCreated: lambda feed, event: feed.add(
        (event.account_id,), EventKind.NOTIFICATION_NEW, event.notification
    ),
    NotificationsMarkedRead: lambda feed, event: feed.add(
        (event.account_id,), EventKind.NOTIFICATION_READ, event.seen
    ),
    AccountChanged: lambda feed, event: feed.changed(
        (event.account_id,), EventKind.ACCOUNT_CHANGED, event.account_id
    ),
}


async def _accounts(work: UnitOfWork, seen: Sequence[Seen]) -> dict[Seen, Wire]:
    """One by one: a transaction changes the accounts of a trade's two at the most."""
    return {
        (account_id, account_id): await accounts.own_account(work, account_id)
        for account_id, _ in seen
        if not (await accounts.standing(work, account_id)).deleted
    }


_Render = Callable[[UnitOfWork, Sequence[Seen]], Awaitable[Mapping[Seen, Wire]]]
_RENDERERS: dict[EventKind, _Render] = {
    EventKind.CHATROOM_CHANGED: chat.details,
    EventKind.OFFER_CHANGED: trades.offers_seen,
    EventKind.APPOINTMENT_CHANGED: trades.appointments_seen,
    EventKind.TRADE_CHANGED: trades.trades_seen,
    EventKind.ACCOUNT_CHANGED: _accounts,
}
