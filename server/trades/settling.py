"""Reads see no timer that has run out: it runs first, in a transaction of its own (H5)."""

from functools import partial
from uuid import UUID

from server.platform.context import Context
from server.platform.unit_of_work import reading, transact
from server.trades import offers, reviews, service
from server.trades.repository import offers as offer_rows
from server.trades.repository import reviews as review_rows
from server.trades.repository import trades as trade_rows


async def settle_overdue(context: Context, account_id: UUID) -> None:
    """Run every timer of the account that is over; nothing is written when there is none."""
    async with reading(context) as work:
        overdue_trades = await trade_rows.overdue(work, account_id)
        overdue_offers = await offer_rows.overdue(work, account_id)
        overdue_reviews = await review_rows.overdue(work, account_id)
    for trade_id in overdue_trades:
        await transact(context, None, partial(service.run_timer, trade_id=trade_id))
    for offer_id in overdue_offers:
        await transact(context, None, partial(offers.run_expiry, offer_id=offer_id))
    for trade_id in overdue_reviews:
        await transact(context, None, partial(reviews.run_publishing, trade_id=trade_id))
