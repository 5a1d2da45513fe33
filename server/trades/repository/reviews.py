"""The SQL of reviews. Others only ever read published ones that no moderator has hidden."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, insert, select, update

from server.platform.columns import live
from server.platform.pages import after_position
from server.platform.unit_of_work import UnitOfWork
from server.trades.records import ReviewRecord
from server.trades.tables import Review

_COLUMNS: tuple[Any, ...] = (
    Review.id,
    Review.trade_id,
    Review.author_id,
    Review.subject_id,
    Review.rating,
    Review.tags,
    Review.comment,
    Review.answer,
    Review.published_at,
    Review.hidden_at,
    Review.created_at,
)
_SHOWN = (Review.published_at.is_not(None), Review.hidden_at.is_(None))


async def _records(work: UnitOfWork, statement: Executable) -> list[ReviewRecord]:
    return [ReviewRecord(*tuple(row)) for row in await work.rows(statement)]


async def of_trades(work: UnitOfWork, trade_ids: Iterable[UUID]) -> list[ReviewRecord]:
    """The reviews of many trades in one query, published or not."""
    return await _records(
        work, select(*_COLUMNS).where(Review.trade_id.in_(list(trade_ids)), live(Review))
    )


async def find_published(work: UnitOfWork, review_id: UUID) -> ReviewRecord | None:
    """A review that everybody may see."""
    found = await _records(
        work, select(*_COLUMNS).where(Review.id == review_id, live(Review), *_SHOWN)
    )
    return found[0] if found else None


async def published_about(work: UnitOfWork, subject_id: UUID) -> list[ReviewRecord]:
    """All published reviews about an account, newest first: what its score is made of."""
    return await _records(
        work,
        select(*_COLUMNS)
        .where(Review.subject_id == subject_id, live(Review), *_SHOWN)
        .order_by(Review.published_at.desc(), Review.id.desc()),
    )


async def subjects_between(
    work: UnitOfWork, since: datetime, until: datetime, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Whom published reviews of that time are about, in the order of their ids."""
    statement = select(Review.subject_id).where(
        Review.published_at.between(since, until), live(Review), *_SHOWN
    )
    if after is not None:
        statement = statement.where(Review.subject_id > after)
    rows = await work.rows(statement.distinct().order_by(Review.subject_id).limit(limit))
    return [row.subject_id for row in rows]


async def written_by(work: UnitOfWork, author_id: UUID) -> list[ReviewRecord]:
    """All reviews that an account has written, published or not, newest first."""
    return await _records(
        work,
        select(*_COLUMNS)
        .where(Review.author_id == author_id, live(Review))
        .order_by(Review.created_at.desc(), Review.id.desc()),
    )


async def page_about(
    work: UnitOfWork,
    subject_id: UUID,
    but_by: Iterable[UUID],
    position: Sequence[Any] | None,
    limit: int,
) -> list[ReviewRecord]:
    """Published reviews about an account, newest first, without some authors'."""
    statement = select(*_COLUMNS).where(
        Review.subject_id == subject_id,
        Review.author_id.not_in(list(but_by)),
        live(Review),
        *_SHOWN,
    )
    key = [Review.published_at, Review.id]
    return await _records(
        work, after_position(statement, key, position, descending=True).limit(limit)
    )


async def add(work: UnitOfWork, review: ReviewRecord) -> None:
    """A new review; a second one by the same author loses the unique race (rule 13)."""
    await work.execute(
        insert(Review).values(
            id=review.id,
            trade_id=review.trade_id,
            author_id=review.author_id,
            subject_id=review.subject_id,
            rating=review.rating,
            tags=review.tags,
            comment=review.comment,
            created_at=review.created_at,
            updated_at=review.created_at,
        )
    )


async def publish(work: UnitOfWork, trade_id: UUID) -> list[ReviewRecord]:
    """Publish what is not published of a trade's reviews; those that were."""
    rows = await work.rows(
        update(Review)
        .where(Review.trade_id == trade_id, Review.published_at.is_(None), live(Review))
        .values(published_at=work.now, updated_at=work.now)
        .returning(*_COLUMNS)
    )
    return sorted((ReviewRecord(*tuple(row)) for row in rows), key=lambda one: one.subject_id)


async def answer(work: UnitOfWork, review_id: UUID, text: str) -> bool:
    """Compare and set: a review is answered once."""
    hit = await work.changed(
        update(Review)
        .where(Review.id == review_id, Review.answer.is_(None))
        .values(answer=text, updated_at=work.now)
    )
    return hit == 1
