"""Recounts what the market's invariants I1 to I10 say, straight from the rows of a database."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.accounts.tables import Account
from server.chat.tables import Member, Message, Room
from server.listings.tables import Like, Listing
from server.platform.columns import Table
from server.platform.database import Database
from server.trades.tables import Appointment, Offer, Review, Trade, Transition

OPEN = ("reserved", "shipped", "handed_over", "disputed")

Rows = list[Any]


@dataclass(frozen=True, slots=True)
class Market:
    """Every row that an invariant speaks of."""

    accounts: Rows
    listings: Rows
    likes: Rows
    rooms: Rows
    members: Rows
    messages: Rows
    offers: Rows
    appointments: Rows
    trades: Rows
    transitions: Rows
    reviews: Rows

    def broken(self, now: datetime) -> list[str]:
        """Everything that contradicts an invariant at this moment, by its number."""
        return [
            *self._one_open_trade(),
            *self._listing_states(),
            *self._prices_and_parties(),
            *self._transitions(),
            *self._offers(),
            *self._sequences(),
            *self._reviews(now),
            *self._account_counters(),
            *self._listing_counters(),
            *self._unread(),
        ]

    def _trades_on(self, *states: str) -> Counter[UUID]:
        return Counter(trade.listing_id for trade in self.trades if trade.state in states)

    def _one_open_trade(self) -> Iterator[str]:
        for listing_id, count in self._trades_on(*OPEN).items():
            if count > 1:
                yield f"I1 {listing_id} has {count} open trades"

    def _listing_states(self) -> Iterator[str]:
        opened, completed = self._trades_on(*OPEN), self._trades_on("completed")
        for listing in self.listings:
            if (listing.state == "reserved") != (opened[listing.id] == 1):
                yield f"I2 {listing.id} is {listing.state} with {opened[listing.id]} open trades"
            is_sold = completed[listing.id] == 1 or listing.sold_elsewhere_at is not None
            if (listing.state == "sold") != is_sold:
                yield f"I3 {listing.id} is {listing.state}, {completed[listing.id]} completed"

    def _prices_and_parties(self) -> Iterator[str]:
        rooms = {room.id: room for room in self.rooms}
        accepted = {
            offer.chatroom_id: offer.amount for offer in self.offers if offer.state == "accepted"
        }
        for trade in self.trades:
            room = rooms[trade.chatroom_id]
            if trade.agreed_price not in (accepted.get(room.id), trade.snapshot["price"]):
                yield f"I4 {trade.id} is for {trade.agreed_price}"
            parties = (trade.seller_id, trade.buyer_id, trade.listing_id)
            if parties != (room.seller_id, room.buyer_id, room.listing_id):
                yield f"I5 {trade.id} is not its room's"
            if trade.seller_id == trade.buyer_id:
                yield f"I5 {trade.id} is with oneself"

    def _transitions(self) -> Iterator[str]:
        told: Counter[tuple[str, int, str]] = Counter()
        for message in self.messages:
            note = message.system or {}
            if note.get("event", "").startswith("trade_"):
                data = note["data"]
                told[data["trade_id"], data["version"], note["event"]] += 1
        made = Counter(
            (str(step.trade_id), step.version, f"trade_{step.event}") for step in self.transitions
        )
        for step in made.keys() | told.keys():
            if (made[step], told[step]) != (1, 1):
                yield f"I6 {step}: {made[step]} rows, {told[step]} messages"
        versions = Counter(step.trade_id for step in self.transitions)
        for trade in self.trades:
            if versions[trade.id] != trade.version:
                yield f"I6 {trade.id} has version {trade.version}, {versions[trade.id]} steps"

    def _offers(self) -> Iterator[str]:
        states = {listing.id: listing.state for listing in self.listings}
        for offer in self.offers:
            if offer.state == "pending" and states[offer.listing_id] != "selling":
                yield f"I7 {offer.id} waits on a {states[offer.listing_id]} listing"

    def _sequences(self) -> Iterator[str]:
        by_room = self._messages_by_room()
        for room in self.rooms:
            seqs = [message.seq for message in by_room[room.id]]
            if seqs != list(range(1, room.last_seq + 1)):
                yield f"I8 {room.id} has {len(seqs)} messages up to {room.last_seq}"

    def _reviews(self, now: datetime) -> Iterator[str]:
        written = Counter(review.trade_id for review in self.reviews)
        until = {trade.id: trade.review_until for trade in self.trades}
        for review in self.reviews:
            over = until[review.trade_id]  # None of a canceled trade: nobody else's to wait for
            may_show = written[review.trade_id] == 2 or over is None or over <= now
            if (review.published_at is not None) != may_show:
                yield f"I9 {review.id} is published at {review.published_at}"

    def _account_counters(self) -> Iterator[str]:
        completed = [trade for trade in self.trades if trade.state == "completed"]
        sales = Counter(trade.seller_id for trade in completed)
        purchases = Counter(trade.buyer_id for trade in completed)
        about = Counter(r.subject_id for r in self.reviews if r.published_at is not None)
        missed = Counter(one.no_show_by for one in self.appointments if one.counted_at is not None)
        for account in self.accounts:
            id_ = account.id
            kept = (account.sales, account.purchases, account.review_count, account.no_shows)
            counted = (sales[id_], purchases[id_], about[id_], missed[id_])
            if kept != counted:
                yield f"I10 {account.handle} has {kept}, counted {counted}"

    def _listing_counters(self) -> Iterator[str]:
        likes = Counter(like.listing_id for like in self.likes if like.deleted_at is None)
        chats = Counter(room.listing_id for room in self.rooms)
        for listing in self.listings:
            kept = (listing.like_count, listing.chat_count)
            if kept != (likes[listing.id], chats[listing.id]):
                yield f"I10 {listing.id} has {kept}"

    def _unread(self) -> Iterator[str]:
        by_room = self._messages_by_room()
        for member in self.members:
            unread = sum(
                message.seq > member.read_seq and message.actor_id != member.account_id
                for message in by_room[member.room_id]
            )
            if member.unread != unread:
                yield f"I10 {member.room_id} has {member.unread} unread, counted {unread}"

    def _messages_by_room(self) -> dict[UUID, Rows]:
        by_room: dict[UUID, Rows] = defaultdict(list)
        for message in sorted(self.messages, key=lambda message: message.seq):
            by_room[message.room_id].append(message)
        return by_room


async def read_market(database_url: str) -> Market:
    """All of it."""
    database = Database(database_url)
    try:
        async with database.reader.connect() as connection:

            async def rows(table: type[Table]) -> Rows:
                return list((await connection.execute(select(*table.__table__.columns))).all())

            return Market(
                accounts=await rows(Account),
                listings=await rows(Listing),
                likes=await rows(Like),
                rooms=await rows(Room),
                members=await rows(Member),
                messages=await rows(Message),
                offers=await rows(Offer),
                appointments=await rows(Appointment),
                trades=await rows(Trade),
                transitions=await rows(Transition),
                reviews=await rows(Review),
            )
    finally:
        await database.close()
