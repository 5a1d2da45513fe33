"""People who sell and buy over the real routes, and a recount of what must always hold."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from server.accounts.tables import Account
from server.app.background import runners
from server.chat.tables import Member, Message, Room
from server.listings.tables import Like, Listing
from server.media.tables import Upload
from server.notifications.tables import Notification
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.jobs import Worker
from server.platform.unit_of_work import UnitOfWork, reading, transact
from server.trades.repository import reviews as review_rows
from server.trades.scores import manner_score
from server.trades.tables import Appointment, Offer, Review, Trade, Transition
from shared_models.trades import OPEN_TRADE_STATES
from tests.server.conftest import Person, SignUpPerson

CAMERA: dict[str, Any] = {
    "title": "Film camera",
    "description": "A film camera with a fifty millimetre lens.",
    "category": "digital",
    "condition": "good",
    "price": 100_000,
    "negotiable": True,
    "method": "both",
}


@dataclass(frozen=True, slots=True)
class Deal:
    """A seller, a buyer, and the room the two have on a listing."""

    seller: Person
    buyer: Person
    listing_id: str
    room_id: str

    def party(self, role: str) -> Person:
        """The seller or the buyer."""
        return self.seller if role == "seller" else self.buyer


class Market:
    """What tests do on the market, each step checked to have worked."""

    def __init__(self, context: Context, clock: MovableClock, sign_up: SignUpPerson) -> None:
        self.context = context
        self.clock = clock
        self._sign_up = sign_up

    async def person(self, handle: str) -> Person:
        """Somebody new."""
        return await self._sign_up(handle)

    async def sell(self, seller: Person, **fields: Any) -> str:
        """A camera on sale, with a photo; its id."""
        body = CAMERA | {"photo_ids": [await self._photo(seller)]} | fields
        return str((await done(seller.post("/v1/listings", body)))["id"])

    async def open_room(self, buyer: Person, listing_id: str) -> str:
        """The buyer's room on a listing; its id."""
        return str((await done(buyer.post("/v1/chatrooms", {"listing_id": listing_id})))["id"])

    async def deal(self, **fields: Any) -> Deal:
        """A seller and a buyer with a room on a new listing."""
        seller, buyer = await self.person("seller"), await self.person("buyer")
        return await self.deal_with(seller, buyer, **fields)

    async def deal_with(self, seller: Person, buyer: Person, **fields: Any) -> Deal:
        """The same two with a room on another listing."""
        listing_id = await self.sell(seller, **fields)
        return Deal(seller, buyer, listing_id, await self.open_room(buyer, listing_id))

    async def insert_offers(
        self, deal: Deal, *, count: int, made_at: datetime, maker: Person | None = None
    ) -> None:
        """Offers that were made, by the buyer unless said, and declined; no rule is asked."""

        async def add(work: UnitOfWork) -> None:
            values = {
                "chatroom_id": UUID(deal.room_id),
                "listing_id": UUID(deal.listing_id),
                "seller_id": deal.seller.id,
                "buyer_id": deal.buyer.id,
                "maker_id": (maker or deal.buyer).id,
                "amount": 1,
                "state": "declined",
                "expires_at": made_at,
                "created_at": made_at,
                "updated_at": made_at,
            }
            rows = [values | {"id": work.new_id()} for _ in range(count)]
            await work.execute(insert(Offer), rows)

        await transact(self.context, None, add)

    async def reserved(self, deal: Deal, method: str = "meet") -> dict[str, Any]:
        """The trade once the seller has reserved (T3)."""
        price = (await done(deal.seller.get(f"/v1/listings/{deal.listing_id}")))["price"]
        body = {"chatroom_id": deal.room_id, "expected_price": price, "method": method}
        return await done(deal.seller.post("/v1/trades", body))

    async def act(self, person: Person, trade: dict[str, Any], action: str, **body: Any) -> Any:
        """An action on the trade at the version that was seen; the trade afterwards."""
        return await done(self.try_to(person, trade, action, **body))

    async def try_to(self, person: Person, trade: dict[str, Any], action: str, **body: Any) -> Any:
        """The same, as the bare answer."""
        body = {"expected_version": trade["version"]} | body
        return await person.post(f"/v1/trades/{trade['id']}/{action}", body)

    async def completed(self, deal: Deal) -> dict[str, Any]:
        """The trade once both have confirmed."""
        trade = await self.act(deal.seller, await self.reserved(deal), "confirm")
        completed: dict[str, Any] = await self.act(deal.buyer, trade, "confirm")
        return completed

    async def trade(self, person: Person, trade_id: str) -> dict[str, Any]:
        """The trade as somebody sees it."""
        return await done(person.get(f"/v1/trades/{trade_id}"))

    async def later(self, **span: float) -> None:
        """Time passes, and what is due by then is run."""
        self.clock.advance(timedelta(**span))
        await Worker(self.context, runners()).run_due()

    async def _photo(self, person: Person) -> str:
        async def ready(work: UnitOfWork) -> UUID:
            upload_id = work.new_id()
            values = {
                "id": upload_id,
                "owner_id": person.id,
                "purpose": "listing",
                "state": "ready",
                "name": "camera.jpg",
                "content_type": "image/jpeg",
                "size": 1,
                "sha256": "0" * 64,
                "object_key": str(upload_id),
                "expires_at": work.now,
                "width": 4,
                "height": 3,
                "placeholder": "1x1:fff",
                "created_at": work.now,
                "updated_at": work.now,
            }
            await work.execute(insert(Upload).values(**values))
            return upload_id

        return str(await transact(self.context, None, ready))

    async def rows(self, *columns: Any) -> list[Any]:
        """All rows of a table, by some of its columns."""
        async with reading(self.context) as work:
            return list(await work.rows(select(*columns)))

    async def notices(self, person: Person) -> list[dict[str, Any]]:
        """What the person was told, newest first."""
        items: list[dict[str, Any]] = (await done(person.get("/v1/notifications?limit=100")))[
            "items"
        ]
        return items

    async def lines(self, person: Person, room_id: str) -> list[str]:
        """The events of a room's system messages, in order."""
        page = await done(person.get(f"/v1/chatrooms/{room_id}/messages?limit=100"))
        return [item["system"]["event"] for item in page["items"] if item["kind"] == "system"]


async def done(request: Any) -> dict[str, Any]:
    """The body of an answer that must be a success."""
    answer = await request
    assert answer.is_success, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def check_invariants(market: Market) -> None:
    """I1 to I10 of the market's rules, counted anew from the rows."""
    trades = await market.rows(
        Trade.id, Trade.version, Trade.listing_id, Trade.chatroom_id, Trade.seller_id,
        Trade.buyer_id, Trade.state, Trade.due_at, Trade.review_until,
    )  # fmt: skip
    listings = await market.rows(Listing.id, Listing.state, Listing.sold_elsewhere_at)
    _check_listings(trades, listings)
    await _check_rooms(market, trades)
    await _check_steps(market, trades)
    await _check_timers(market, trades)
    await _check_offers(market, listings)
    await _check_reviews(market, trades)
    await _check_counters(market, trades)
    await _check_scores(market)
    await _check_likes(market)


def _check_listings(trades: list[Any], listings: list[Any]) -> None:
    open_on = [trade.listing_id for trade in trades if trade.state in OPEN_TRADE_STATES]
    completed_on = [trade.listing_id for trade in trades if trade.state == "completed"]
    assert len(open_on) == len(set(open_on)), "I1: one open trade per listing"
    for listing in listings:
        has_open = listing.id in open_on
        assert (listing.state == "reserved") == has_open, "I2: reserved means an open trade"
        completed = completed_on.count(listing.id)
        sold = completed == 1 or listing.sold_elsewhere_at is not None
        assert (listing.state == "sold") == sold, "I3: sold means one completed trade"
        assert completed <= 1, "I3: sold once"


async def _check_rooms(market: Market, trades: list[Any]) -> None:
    rooms = {
        room.id: room
        for room in await market.rows(
            Room.id, Room.listing_id, Room.buyer_id, Room.seller_id, Room.last_seq
        )
    }
    for trade in trades:
        room = rooms[trade.chatroom_id]
        assert trade.seller_id != trade.buyer_id, "I5: nobody buys from oneself"
        assert (trade.listing_id, trade.buyer_id, trade.seller_id) == (
            room.listing_id, room.buyer_id, room.seller_id,
        ), "I5: the trade is its room's"  # fmt: skip
    seqs: dict[UUID, list[int]] = {room_id: [] for room_id in rooms}
    for message in await market.rows(Message.room_id, Message.seq):
        seqs[message.room_id].append(message.seq)
    for room_id, found in seqs.items():
        assert sorted(found) == list(range(1, rooms[room_id].last_seq + 1)), "I8: no hole"


async def _check_steps(market: Market, trades: list[Any]) -> None:
    """I6: for each transition one row, one system message, and a notice to who did not cause it."""
    said: dict[str, int] = {}
    for message in await market.rows(Message.system):
        if message.system and message.system["event"].startswith("trade_"):
            trade_id = message.system["data"]["trade_id"]
            said[trade_id] = said.get(trade_id, 0) + 1
    steps: dict[UUID, list[Any]] = {}
    for step in await market.rows(Transition.trade_id, Transition.version, Transition.actor_id):
        steps.setdefault(step.trade_id, []).append(step)
    told = {
        (row.account_id, row.dedup_key)
        for row in await market.rows(Notification.account_id, Notification.dedup_key)
    }
    for trade in trades:
        versions = sorted(step.version for step in steps[trade.id])
        assert versions == list(range(1, trade.version + 1)), "I6: one row each"
        assert said[str(trade.id)] == trade.version, "I6: one system message each"
        for step in steps[trade.id]:
            for party in (trade.seller_id, trade.buyer_id):
                has_notice = (party, f"trade:{trade.id}:{step.version}") in told
                assert has_notice == (party != step.actor_id), "I6: the other side is told"


WAITS = {"shipped": timedelta(days=7), "handed_over": timedelta(hours=72)}
WAITS["disputed"] = timedelta(days=30)
RESERVED_FOR, AFTER_MEETING = timedelta(days=7), timedelta(hours=72)


async def _check_timers(market: Market, trades: list[Any]) -> None:
    """Every open trade waits for what its own state waits for, and no other (T5, T7 to T13, P1)."""
    began: dict[UUID, datetime] = {}
    for step in await market.rows(Transition.trade_id, Transition.event, Transition.created_at):
        if step.event != "cancel_consented":
            began[step.trade_id] = max(step.created_at, began.get(step.trade_id, step.created_at))
    meetings = {
        row.chatroom_id: row.at
        for row in await market.rows(Appointment.chatroom_id, Appointment.at, Appointment.state)
        if row.state == "accepted"
    }
    now = market.clock.now()
    for trade in trades:
        if trade.state in WAITS:
            assert trade.due_at == began[trade.id] + WAITS[trade.state], "its own timer"
        elif trade.state == "reserved":
            meeting = meetings.get(trade.chatroom_id)
            meets = meeting is not None and trade.due_at == meeting + AFTER_MEETING
            waits = began[trade.id] + RESERVED_FOR <= trade.due_at <= now + RESERVED_FOR
            to_come = meeting is not None and meeting + AFTER_MEETING > now
            assert meets or (waits and not to_come), "7 days, or 72 h after its own meeting"
        else:
            assert trade.due_at is None, "what is over waits for nothing"


async def _check_offers(market: Market, listings: list[Any]) -> None:
    selling = {listing.id for listing in listings if listing.state == "selling"}
    for offer in await market.rows(Offer.listing_id, Offer.state):
        assert offer.state != "pending" or offer.listing_id in selling, "I7: no offer left behind"


async def _check_reviews(market: Market, trades: list[Any]) -> None:
    until = {trade.id: trade.review_until for trade in trades}
    written: dict[UUID, list[Any]] = {}
    for review in await market.rows(Review.trade_id, Review.published_at):
        written.setdefault(review.trade_id, []).append(review.published_at)
    for trade_id, published in written.items():
        if until[trade_id] is None:
            assert all(published), "of a canceled trade there is no other review to wait for"
            continue
        seen = any(published)
        over = until[trade_id] <= market.clock.now()
        assert not seen or len(published) == 2 or over, "I9: blind until both or over"
        assert len(published) < 2 or all(published), "I9: both are published together"


async def _check_counters(market: Market, trades: list[Any]) -> None:
    completed = [trade for trade in trades if trade.state == "completed"]
    await _check_no_shows(market)
    for account in await market.rows(Account.id, Account.sales, Account.purchases):
        sales = sum(trade.seller_id == account.id for trade in completed)
        purchases = sum(trade.buyer_id == account.id for trade in completed)
        assert (account.sales, account.purchases) == (sales, purchases), "I10: counters"
    async with reading(market.context) as work:
        for member in await work.rows(
            select(Member.room_id, Member.account_id, Member.read_seq, Member.unread)
        ):
            unread = await work.scalar(
                select(func.count()).where(
                    Message.room_id == member.room_id,
                    Message.seq > member.read_seq,
                    Message.actor_id.is_distinct_from(member.account_id),
                )
            )
            assert member.unread == unread, "I10: unread equals a recount"


async def _reported(market: Market) -> list[Any]:
    """The appointments that somebody is reported to have missed."""
    columns = (Appointment.no_show_by, Appointment.no_show_until)
    rows = await market.rows(*columns, Appointment.contested_at, Appointment.counted_at)
    return [row for row in rows if row.no_show_until is not None]


async def _check_no_shows(market: Market) -> None:
    reported = await _reported(market)
    for one in reported:
        assert None in (one.contested_at, one.counted_at), "what is contested never counts"
        assert one.contested_at is None or one.contested_at < one.no_show_until, "in time"
        assert one.counted_at is None or one.counted_at >= one.no_show_until, "not before"
    for account in await market.rows(Account.id, Account.no_shows):
        counted = sum(
            one.no_show_by == account.id and one.counted_at is not None for one in reported
        )
        assert account.no_shows == counted, "I10: no-shows equal a recount"


async def _check_scores(market: Market) -> None:
    """Scores are those of the moment at which the newest review was published, or the newest
    no-show counted (rule 14).
    """
    kept = await market.rows(Account.id, Account.review_count, Account.manner_score)
    reported = await _reported(market)
    async with reading(market.context) as work:
        for account in kept:
            reviews = await review_rows.published_about(work, account.id)
            missed = [one for one in reported if one.no_show_by == account.id]
            moments = [review.published_at for review in reviews if review.published_at]
            moments += [one.counted_at for one in missed if one.counted_at]
            scored_at = max(moments, default=market.clock.now())
            no_shows = [one.no_show_until for one in missed if one.counted_at]
            score = manner_score(reviews, scored_at, no_shows)
            counted = (len(reviews), score)
            assert (account.review_count, account.manner_score) == counted, "I10: reviews"


async def _check_likes(market: Market) -> None:
    liked = await market.rows(Like.listing_id, Like.deleted_at)
    for listing in await market.rows(Listing.id, Listing.like_count):
        likes = sum(like.listing_id == listing.id and like.deleted_at is None for like in liked)
        assert listing.like_count == likes, "I10: likes equal a recount"
