"""The manner score that is kept of each account, and how it follows the time (rule 14)."""

from datetime import timedelta
from uuid import UUID

from server.accounts import api as accounts
from server.platform.unit_of_work import UnitOfWork
from server.trades.repository import appointments as appointment_rows
from server.trades.repository import reviews as review_rows
from server.trades.scores import FADE_BEGINS, FADE_ENDS, manner_score

_FADE_MARGIN = timedelta(days=30)
_FADE_AT_ONCE = 50


async def rescore(work: UnitOfWork, account_id: UUID) -> None:
    """Compute an account's score anew from its published reviews and its counted no-shows.

    The account is held first: reviews of its other trades may be published at this moment.
    """
    await accounts.hold(work, account_id)
    reviews = await review_rows.published_about(work, account_id)
    no_shows = await appointment_rows.counted_against(work, account_id)
    score = manner_score(reviews, work.now, no_shows)
    await accounts.set_manner(work, account_id, score, len(reviews))


async def fade(work: UnitOfWork, *, after: UUID | None) -> UUID | None:
    """Rescore the next accounts whose bad points, if any, fade (rule 14).

    The last of them, None at the end. What is bad is looked at for a while after its points are
    gone, in case that nobody did so at the time.
    """
    since, until = work.now - FADE_ENDS - _FADE_MARGIN, work.now - FADE_BEGINS
    found: set[UUID] = set()
    for accounts_between in (review_rows.subjects_between, appointment_rows.absent_between):
        found.update(await accounts_between(work, since, until, after=after, limit=_FADE_AT_ONCE))
    next_ones = sorted(found)[:_FADE_AT_ONCE]
    for account_id in next_ones:
        await rescore(work, account_id)
    return next_ones[-1] if len(next_ones) == _FADE_AT_ONCE else None
