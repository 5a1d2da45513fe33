"""Double-blind reviews (rule 13, T16)."""

from functools import partial
from uuid import UUID

from server.accounts import api as accounts
from server.platform.errors import Conflict, Forbidden, Invalid, NotFound
from server.platform.pages import read_page
from server.platform.unit_of_work import UnitOfWork
from server.trades import machine, manner, no_shows, service, views
from server.trades.events import ReviewAnswered, ReviewPublished
from server.trades.records import ReviewRecord, TradeRecord
from server.trades.repository import reviews as rows
from server.trades.repository import trades as trade_rows
from shared_models.base import Page
from shared_models.market import REVIEW_TAGS
from shared_models.trades import Review, ReviewAnswer, ReviewCreate, Trade

_TAGS = frozenset(tag.id for tag in REVIEW_TAGS)
_ONLY_NO_SHOW = {"rating": 1, "tags": ["no_show"], "comment": ""}
"""All that may be said of a canceled trade."""


async def write(work: UnitOfWork, trade_id: UUID, body: ReviewCreate) -> tuple[Review, bool]:
    """T16: a party reviews the other; the review and whether it is new.

    It stays unseen until the other side has written too or 14 days have passed. Whoever the other
    side did not meet may leave the ``no_show`` tag on a canceled trade, and nothing else; there is
    no other review to wait for, so it is published at once. 409 ``not_completed``,
    ``review_closed`` and ``already_reviewed``; 422 for an unknown tag and ``only_no_show``.
    """
    me = work.actor.account_id
    trade = await service.lock_own(work, trade_id, me)
    _check_tags(body.tags)
    existing = await rows.of_trades(work, [trade_id])
    mine = next((review for review in existing if review.author_id == me), None)
    if mine is not None:
        if (mine.rating, mine.tags, mine.comment) != (body.rating, body.tags, body.comment):
            raise Conflict(
                "already_reviewed", "You have reviewed this trade.", current=await _view(work, mine)
            )
        return await _view(work, mine), False
    canceled = trade.state == machine.CANCELED
    if canceled:
        await no_shows.settle(work, trade)
    _check_window(work, await views.trade(work, trade, me))
    if canceled:
        _check_only_no_show(body)
    review = ReviewRecord(
        id=work.new_id(),
        trade_id=trade_id,
        author_id=me,
        subject_id=trade.other(me),
        rating=body.rating,
        tags=body.tags,
        comment=body.comment,
        answer=None,
        published_at=None,
        hidden_at=None,
        created_at=work.now,
    )
    await rows.add(work, review)
    work.announce(service.changed(trade, "reviewed", me, only_for=me))
    if existing or canceled:
        await publish(work, trade)
    return await _view(work, await _reread(work, review)), True


def _check_tags(tags: list[str]) -> None:
    if not _TAGS.issuperset(tags):
        raise Invalid.field("tags", "unknown_choice", f"tags are of {sorted(_TAGS)}.")
    if len(set(tags)) < len(tags):
        raise Invalid.field("tags", "repeated", "Name each tag once.")


def _check_only_no_show(body: ReviewCreate) -> None:
    for field, only in _ONLY_NO_SHOW.items():
        if getattr(body, field) != only:
            raise Invalid.field(
                field,
                "only_no_show",
                "A canceled trade takes one star and the tag no_show, without a comment.",
            )


def _check_window(work: UnitOfWork, current: Trade) -> None:
    if current.review_until is None:
        raise Conflict("not_completed", "Only a completed trade is reviewed.", current=current)
    if current.review_until <= work.now:
        raise Conflict(
            "review_closed",
            f"Reviews closed after {work.limits.review_days} days.",
            current=current,
        )


async def publish(work: UnitOfWork, trade: TradeRecord) -> None:
    """Publish both reviews together, or the one that there is; scores follow at once."""
    published = await rows.publish(work, trade.id)
    for review in published:
        await manner.rescore(work, review.subject_id)
        work.announce(ReviewPublished(review.id, trade.id, review.subject_id, review.author_id))
    if published:
        work.announce(service.changed(trade, "reviews_published", None))


async def run_publishing(work: UnitOfWork, trade_id: UUID) -> None:
    """The window is over: what was written is published; nothing happens before (H5)."""
    found = await trade_rows.find(work, trade_id)
    if found is None:
        return
    trade = await service.lock(work, found)
    if trade.review_until is not None and trade.review_until <= work.now:
        await publish(work, trade)


async def answer(work: UnitOfWork, review_id: UUID, body: ReviewAnswer) -> tuple[Review, bool]:
    """The reviewed person answers, once; 404 until the review is published."""
    review = await rows.find_published(work, review_id)
    if review is None:
        raise NotFound("review")
    if review.subject_id != work.actor.account_id:
        raise Forbidden("wrong_role", "Only the reviewed person answers.")
    if review.answer == body.text:
        return await _view(work, review), False
    if not await rows.answer(work, review_id, body.text):
        raise Conflict("already_answered", "You have answered.", current=await _view(work, review))
    work.announce(ReviewAnswered(review_id, review.trade_id, review.subject_id, review.author_id))
    trade = await trade_rows.find(work, review.trade_id)
    if trade is not None:
        work.announce(service.changed(trade, "review_answered", review.subject_id))
    return await _view(work, await _reread(work, review)), True


async def page_about(
    work: UnitOfWork, account_id: UUID, *, limit: int, cursor: str | None
) -> Page[Review]:
    """Published reviews about an account, newest first, without those of blocked people."""
    await accounts.standing(work, account_id)
    blocked = await accounts.blocked_with(work, work.actor.account_id)
    shown, next_cursor = await read_page(
        partial(rows.page_about, work, account_id, blocked),
        limit,
        cursor,
        secret=work.context.secret,
        scope=f"reviews:{account_id}",
        key=lambda review: (review.published_at, review.id),
    )
    cards = await accounts.cards(work, [review.author_id for review in shown])
    items = [views.review_view(review, cards[review.author_id]) for review in shown]
    return Page[Review](items=items, next_cursor=next_cursor)


async def _reread(work: UnitOfWork, review: ReviewRecord) -> ReviewRecord:
    found = await rows.of_trades(work, [review.trade_id])
    return next(one for one in found if one.id == review.id)


async def _view(work: UnitOfWork, review: ReviewRecord) -> Review:
    cards = await accounts.cards(work, [review.author_id])
    return views.review_view(review, cards[review.author_id])
