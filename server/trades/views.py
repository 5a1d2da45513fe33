"""Trades, offers, appointments and reviews as one party sees them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from server.accounts import api as accounts
from server.chat import api as chat
from server.platform.unit_of_work import UnitOfWork
from server.trades import meetings, review_window
from server.trades.guards import Step, role_of
from server.trades.machine import CANCELED, HANDED_OVER, allowed_actions
from server.trades.records import (
    AppointmentRecord,
    OfferRecord,
    ReviewRecord,
    TradeRecord,
    TransitionRecord,
)
from server.trades.repository import appointments as appointment_rows
from server.trades.repository import offers as offer_rows
from server.trades.repository import reviews as review_rows
from server.trades.repository import trades as trade_rows
from shared_models.accounts import ProfileCard
from shared_models.market import CARRIERS
from shared_models.trades import (
    Appointment,
    ListingSnapshot,
    Offer,
    OfferState,
    Review,
    TimelineEntry,
    Trade,
    TradeState,
)

_TRACKING_URLS = {carrier.id: carrier.tracking_url for carrier in CARRIERS}


async def trades(work: UnitOfWork, records: Sequence[TradeRecord], viewer_id: UUID) -> list[Trade]:
    """Trades of the viewer, in the given order; five queries at the most, whatever their number."""
    return await trades_seen(work, [(record, viewer_id) for record in records])


async def trades_seen(work: UnitOfWork, seen: Sequence[tuple[TradeRecord, UUID]]) -> list[Trade]:
    """The same, each as a viewer of its own sees it."""
    if not seen:
        return []
    ids = {record.id for record, _ in seen}
    people = {person for record, _ in seen for person in (record.seller_id, record.buyer_id)}
    cards = await accounts.cards(work, people)
    timelines = await trade_rows.timelines(work, ids)
    undoable = {record.chatroom_id for record, _ in seen if record.state == HANDED_OVER}
    blocked = await chat.blocked_among(work, undoable) if undoable else set()
    reviews: dict[UUID, list[ReviewRecord]] = {}
    for review in await review_rows.of_trades(work, ids):
        reviews.setdefault(review.trade_id, []).append(review)
    canceled = {record.chatroom_id for record, _ in seen if record.state == CANCELED}
    missed = await appointment_rows.reported_in(work, canceled) if canceled else []
    steps = [(record, _step(work, record, viewer, blocked)) for record, viewer in seen]
    return [
        _trade(
            step,
            record,
            cards,
            timelines[record.id],
            reviews.get(record.id, []),
            review_window.window(record, viewer, missed, work.now, work.limits),
        )
        for (record, step), (_, viewer) in zip(steps, seen, strict=True)
    ]


async def trade(work: UnitOfWork, record: TradeRecord, viewer_id: UUID) -> Trade:
    """One trade of the viewer."""
    return (await trades(work, [record], viewer_id))[0]


def _step(work: UnitOfWork, record: TradeRecord, viewer_id: UUID, blocked: set[UUID]) -> Step:
    role = role_of(record, viewer_id)
    assert role is not None
    is_blocked = record.chatroom_id in blocked
    return Step(role, viewer_id, work.now, work.limits, blocked=is_blocked)


def _trade(
    step: Step,
    record: TradeRecord,
    cards: dict[UUID, ProfileCard],
    timeline: list[TransitionRecord],
    reviews: list[ReviewRecord],
    review_until: datetime | None,
) -> Trade:
    viewer_id = step.actor_id
    mine = next((one for one in reviews if one.author_id == viewer_id), None)
    other = next((one for one in reviews if one.author_id != viewer_id), None)
    return Trade(
        id=record.id,
        version=record.version,
        listing_id=record.listing_id,
        chatroom_id=record.chatroom_id,
        seller=cards[record.seller_id],
        buyer=cards[record.buyer_id],
        role="seller" if viewer_id == record.seller_id else "buyer",
        agreed_price=record.agreed_price,
        method="post" if record.method == "post" else "meet",
        state=TradeState(record.state),
        due_at=record.due_at,
        seller_confirmed_at=record.seller_confirmed_at,
        buyer_confirmed_at=record.buyer_confirmed_at,
        cancel_reason=record.cancel_reason,
        carrier=record.carrier,
        tracking_number=record.tracking_number,
        tracking_url=_tracking_url(record),
        problem_reason=record.problem_reason,
        problem_by=record.problem_by,
        auto_completed=record.auto_completed,
        snapshot=ListingSnapshot.model_validate(record.snapshot),
        timeline=[_entry(transition) for transition in timeline],
        my_review=review_view(mine, cards[mine.author_id]) if mine else None,
        other_review=_if_published(other, cards),
        review_until=review_until,
        created_at=record.created_at,
        updated_at=record.updated_at,
        allowed_actions=allowed_actions(record, step, review_until=None if mine else review_until),
    )


def _tracking_url(record: TradeRecord) -> str | None:
    if record.carrier is None or record.tracking_number is None:
        return None
    return _TRACKING_URLS[record.carrier].replace("{number}", record.tracking_number)


def _entry(transition: TransitionRecord) -> TimelineEntry:
    return TimelineEntry(
        event=transition.event,
        state=TradeState(transition.state),
        actor_id=transition.actor_id,
        note=transition.note,
        at=transition.created_at,
    )


def _if_published(review: ReviewRecord | None, cards: dict[UUID, ProfileCard]) -> Review | None:
    if review is None or review.published_at is None or review.hidden_at is not None:
        return None
    return review_view(review, cards[review.author_id])


def review_view(review: ReviewRecord, author: ProfileCard) -> Review:
    """A review; the caller has decided that the viewer may see it (rule 13, I9)."""
    return Review(
        id=review.id,
        trade_id=review.trade_id,
        author=author,
        subject_id=review.subject_id,
        rating=review.rating,
        tags=review.tags,
        comment=review.comment,
        answer=review.answer,
        published=review.published_at is not None,
        created_at=review.created_at,
    )


async def offers(work: UnitOfWork, seen: Sequence[tuple[OfferRecord, UUID]]) -> list[Offer]:
    """Offers, each as a viewer of its own sees it; one query for any number of them, or none."""
    rooms = {record.chatroom_id for record, viewer in seen if _answers_as_buyer(record, viewer)}
    spent = await offer_rows.spent_in(work, rooms) if rooms else Counter[UUID]()
    return [
        offer_view(work, record, viewer_id, spent=spent[record.chatroom_id])
        for record, viewer_id in seen
    ]


async def offer(work: UnitOfWork, record: OfferRecord, viewer_id: UUID) -> Offer:
    """One offer."""
    return (await offers(work, [(record, viewer_id)]))[0]


def _answers_as_buyer(record: OfferRecord, viewer_id: UUID) -> bool:
    answers = record.state == OfferState.PENDING and record.maker_id != viewer_id
    return answers and viewer_id == record.buyer_id


def offer_view(work: UnitOfWork, record: OfferRecord, viewer_id: UUID, *, spent: int) -> Offer:
    """An offer; one whose time is over reads as expired even before its timer has run (H5).

    ``spent`` is how many offers its buyer has made on the listing: a counter is one more of them
    (rule 11).
    """
    state = OfferState(record.state)
    if state is OfferState.PENDING and record.expires_at <= work.now:
        state = OfferState.EXPIRED
    actions: list[str] = []
    if state is OfferState.PENDING:
        mine = record.maker_id == viewer_id
        actions = ["withdraw"] if mine else ["accept", "decline"]
        if not mine and (viewer_id != record.buyer_id or spent < work.limits.offers_per_listing):
            actions.append("counter")
    return Offer(
        id=record.id,
        chatroom_id=record.chatroom_id,
        listing_id=record.listing_id,
        maker_id=record.maker_id,
        amount=record.amount,
        state=state,
        expires_at=record.expires_at,
        created_at=record.created_at,
        allowed_actions=actions,
    )


def appointment(work: UnitOfWork, record: AppointmentRecord, viewer_id: UUID) -> Appointment:
    """An appointment with what the viewer may do about it (rule 12)."""
    return Appointment(
        id=record.id,
        chatroom_id=record.chatroom_id,
        proposer_id=record.proposer_id,
        at=record.at,
        place=record.place,
        state=meetings.shown_state(record),
        no_show_by=record.no_show_by,
        no_show_until=record.no_show_until,
        no_show_contested_at=record.contested_at,
        no_show_upheld=meetings.is_upheld(record, work.now),
        created_at=record.created_at,
        allowed_actions=meetings.allowed_actions(record, viewer_id, work.now, work.limits),
    )
