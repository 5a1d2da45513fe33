"""Rooms: opening one, the list of them, muting and leaving, and closing them from elsewhere."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial
from statistics import median
from uuid import UUID

from server.accounts import api as accounts
from server.accounts.events import AccountBlocked, AccountDeleted, AccountUnblocked
from server.chat import repository, views
from server.chat.events import RoomChanged, RoomLeft, RoomOpened
from server.chat.ports import RoomExtras, RoomFacts
from server.chat.service import post_system
from server.listings import api as listings
from server.listings.events import ListingDeleted, ListingTaken
from server.platform.errors import Conflict, Forbidden, NotFound
from server.platform.pages import read_page
from server.platform.rates import refuse_beyond
from server.platform.unit_of_work import UnitOfWork
from shared_models.base import Page
from shared_models.chat import Chatroom, ChatroomDetail
from shared_models.market import SAFETY_LINE
from shared_models.trades import OPEN_TRADE_STATES

_PAGE_SCOPE = "chatrooms"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_RESPONSE_WINDOW = timedelta(days=90)
_RESPONSE_ROOMS_MIN = 5


async def room_for(
    work: UnitOfWork, room_id: UUID, account_id: UUID, *, lock: bool = False
) -> RoomFacts:
    """The room; :class:`NotFound` for everybody but its two parties."""
    room = await repository.room(work, room_id, account_id, lock=lock)
    if room is None:
        raise NotFound("chatroom")
    return room


async def peer_to_tell(work: UnitOfWork, room_id: UUID, account_id: UUID) -> UUID | None:
    """Who hears that the account types or looks in; None where a block or the end forbids it."""
    room = await room_for(work, room_id, account_id)
    other_id = room.other(account_id)
    return other_id if room.state == "open" and not room.blocked else None


async def buyers_on(work: UnitOfWork, listing_id: UUID) -> list[UUID]:
    """Everybody who has opened a room on the listing."""
    return (await buyers_by_listing(work, [listing_id])).get(listing_id, [])


async def buyers_by_listing(
    work: UnitOfWork, listing_ids: Collection[UUID]
) -> dict[UUID, list[UUID]]:
    """The same for many listings, in one query."""
    buyers: dict[UUID, list[UUID]] = {}
    for room in await repository.rooms_on(work, listing_ids):
        buyers.setdefault(room.listing_id, []).append(room.buyer_id)
    return buyers


async def open_room(work: UnitOfWork, listing_id: UUID) -> tuple[ChatroomDetail, bool]:
    """Open the actor's room on a listing (T1, rule 6), or find it; whether it is new.

    404 for a listing that is not shown, 403 ``own_listing`` and ``blocked`` and ``suspended``,
    409 ``not_selling``, 429 ``too_many_rooms``.
    """
    buyer_id = work.actor.account_id
    room_id = await repository.room_of(work, listing_id, buyer_id)
    is_new = room_id is None
    if room_id is None:
        room_id = await _open_new(work, listing_id, buyer_id)
    elif await repository.rejoin(work, room_id, buyer_id):
        await _announce_change(work, room_id, buyer_id)
    return await room_detail(work, room_id), is_new


async def _open_new(work: UnitOfWork, listing_id: UUID, buyer_id: UUID) -> UUID:
    await listings.touch(work, listing_id)
    listing = await listings.facts(work, listing_id)
    if listing is None:
        raise NotFound("listing")
    if listing.seller_id == buyer_id:
        raise Forbidden("own_listing", "This is your own listing.")
    if not listing.public:
        raise NotFound("listing")
    standing = await accounts.hold(work, buyer_id)
    if await accounts.is_blocked(work, buyer_id, listing.seller_id):
        raise Forbidden("blocked", "You and this person do not deal with each other.")
    if standing.suspended:
        raise Forbidden("suspended", "A suspended account opens no chats.")
    if not listing.open_for_chat:
        raise Conflict(
            "not_selling",
            "It is reserved or sold. Like it, and you are told when it is back on sale.",
            current=(await listings.cards(work, [listing_id], buyer_id))[listing_id],
        )
    await _check_openings(work, buyer_id)
    room_id = await repository.insert_room(work, listing_id, listing.seller_id, buyer_id)
    work.announce(RoomOpened(room_id, listing_id, listing.seller_id, buyer_id))
    await post_system(work, room_id, event="safety", actor_id=buyer_id, text=SAFETY_LINE, data={})
    await listings.count_chat(work, listing_id)
    return room_id


async def _check_openings(work: UnitOfWork, buyer_id: UUID) -> None:
    if not work.context.rates.enabled:
        return
    opened = await repository.openings_since(work, buyer_id, work.now - _DAY)
    limits = ((work.limits.rooms_per_hour, _HOUR), (work.limits.rooms_per_day, _DAY))
    for most, window in limits:
        detail = f"At most {most} new chats in {int(window / _HOUR)} h."
        refuse_beyond(opened, most, window, work.now, detail, code="too_many_rooms")


async def room_page(work: UnitOfWork, limit: int, cursor: str | None) -> Page[Chatroom]:
    """The actor's rooms, newest activity first; a constant number of queries."""
    viewer_id = work.actor.account_id
    rows, next_cursor = await read_page(
        partial(repository.room_page, work, viewer_id),
        limit,
        cursor,
        secret=work.context.secret,
        scope=f"{_PAGE_SCOPE} {viewer_id}",
        key=lambda row: (row.active_at, row.id),
    )
    items = await views.chatrooms(work, rows)
    return Page[Chatroom].trusted(items=items, next_cursor=next_cursor)


async def all_rooms(work: UnitOfWork, account_id: UUID) -> list[Chatroom]:
    """Every room on the account's list, newest activity first, for its bootstrap."""
    rows = await repository.listed_rooms(work, account_id)
    return await views.chatrooms(work, rows)


async def chatrooms(
    work: UnitOfWork, room_ids: Collection[UUID], viewer_id: UUID
) -> dict[UUID, Chatroom]:
    """Those of the rooms that are the viewer's, by id."""
    rows = await repository.rooms_by_id(work, room_ids, [viewer_id])
    return {room.id: room for room in await views.chatrooms(work, rows)}


async def details(
    work: UnitOfWork, seen: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], ChatroomDetail]:
    """Rooms with all that their headers show, by ``(room_id, viewer_id)``, without a stranger's;
    a constant number of queries.
    """
    room_ids, viewer_ids = {room_id for room_id, _ in seen}, {viewer_id for _, viewer_id in seen}
    wanted = set(seen)
    rows = await repository.rooms_by_id(work, room_ids, viewer_ids)
    rows = [row for row in rows if (row.id, row.viewer_id) in wanted]
    found = await views.details(work, rows)
    return {(row.id, row.viewer_id): room for row, room in zip(rows, found, strict=True)}


async def room_detail(work: UnitOfWork, room_id: UUID) -> ChatroomDetail:
    """A room as the actor sees it; :class:`NotFound` for a stranger."""
    seen = room_id, work.actor.account_id
    found = await details(work, [seen])
    if seen not in found:
        raise NotFound("chatroom")
    return found[seen]


async def set_muted(work: UnitOfWork, room_id: UUID, *, on: bool) -> None:
    """Mute the room for the actor, or not: no notices, still unread counts (rule 15)."""
    account_id = work.actor.account_id
    await room_for(work, room_id, account_id)
    if await repository.set_muted(work, room_id, account_id, on=on):
        await _announce_change(work, room_id, account_id)


async def leave(work: UnitOfWork, room_id: UUID) -> None:
    """Take the room off the actor's list until a new message (rule 15); 409 ``open_trade``."""
    account_id = work.actor.account_id
    room = await room_for(work, room_id, account_id, lock=True)
    [extra] = await work.context.wiring.port(RoomExtras).load(work, [(room, account_id)])
    if extra.trade is not None and extra.trade.state in OPEN_TRADE_STATES:
        raise Conflict("open_trade", "Finish or cancel the trade first.", current=extra.trade)
    if await repository.leave(work, room, account_id):
        work.announce(RoomLeft(room_id, account_id, room.last_seq))
        await _announce_change(work, room_id, account_id)


async def _announce_change(work: UnitOfWork, room_id: UUID, account_id: UUID) -> None:
    room = await room_for(work, room_id, account_id)
    work.announce(RoomChanged(room_id, room.seller_id, room.buyer_id, (account_id,)))


async def close_rooms(
    work: UnitOfWork, listing_id: UUID, *, except_room_id: UUID | None = None
) -> None:
    """Make the rooms on a listing read-only, but for one (T8, rule 3)."""
    closed = await repository.set_state(
        work, "read_only", listing_id=listing_id, but=except_room_id
    )
    _announce_all(work, closed)


async def reopen_rooms(work: UnitOfWork, listing_id: UUID) -> None:
    """Open the rooms on a listing again, but for those whose buyer is gone."""
    opened = await repository.set_state(work, "open", listing_id=listing_id)
    buyers = await accounts.cards(work, {room.buyer_id for room in opened})
    orphans = [room.id for room in opened if buyers[room.buyer_id].deleted]
    if orphans:
        await repository.set_state(work, "read_only", room_ids=orphans)
    _announce_all(work, opened)


async def on_listing_taken(work: UnitOfWork, event: ListingTaken) -> None:
    """What may be done in the open rooms on a listing hangs on whether it is reserved."""
    rooms = await repository.rooms_on(work, [event.listing_id])
    _announce_all(work, [room for room in rooms if room.state == "open"])


async def on_listing_deleted(work: UnitOfWork, event: ListingDeleted) -> None:
    """The rooms of a deleted listing turn read-only (rule 3)."""
    await close_rooms(work, event.listing_id)


async def on_account_deleted(work: UnitOfWork, event: AccountDeleted) -> None:
    """Nobody writes to an account that is gone."""
    _announce_all(work, await repository.set_state(work, "read_only", party=event.account_id))


async def hold_listings_between(work: UnitOfWork, one: UUID, other: UUID) -> frozenset[UUID]:
    """Hold every listing that the two have a room on, in the order of their ids (H15)."""
    found = frozenset(room.listing_id for room in await repository.rooms_between(work, one, other))
    for listing_id in sorted(found):
        await listings.touch(work, listing_id)
    return found


async def on_account_blocked(work: UnitOfWork, event: AccountBlocked) -> None:
    """The two see their rooms read-only (rule 15)."""
    pair = event.account_id, event.blocked_id
    _announce_all(work, await repository.set_blocked(work, *pair, on=True))


async def on_account_unblocked(work: UnitOfWork, event: AccountUnblocked) -> None:
    """The two see their rooms as they are."""
    pair = event.account_id, event.unblocked_id
    still = await accounts.is_blocked(work, *pair)
    _announce_all(work, await repository.set_blocked(work, *pair, on=still))


def _announce_all(work: UnitOfWork, rooms: Collection[RoomFacts]) -> None:
    for room in rooms:
        work.announce(RoomChanged(room.id, room.seller_id, room.buyer_id, room.parties))


async def response_figures(work: UnitOfWork, account_id: UUID) -> accounts.ResponseFigures:
    """How a seller answers: share within 24 h and median minutes (rule 20); for the profile."""
    times = await repository.response_times(work, account_id, work.now - _RESPONSE_WINDOW)
    # Who was asked within the last day and has not answered yet may still do so in time.
    decided = [(asked, at) for asked, at in times if at is not None or asked <= work.now - _DAY]
    if len(decided) < _RESPONSE_ROOMS_MIN:
        return accounts.ResponseFigures()
    waits = [(at - asked).total_seconds() for asked, at in decided if at is not None]
    quick = sum(wait <= _DAY.total_seconds() for wait in waits)
    minutes = round(median(waits) / 60) if waits else None
    return accounts.ResponseFigures(rate=round(quick / len(decided), 2), minutes=minutes)
