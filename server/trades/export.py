"""What trades put into the archive of an account (rule 20)."""

from collections.abc import AsyncIterator
from uuid import UUID

from server.accounts import api as accounts
from server.accounts.api import ExportRow
from server.platform.unit_of_work import UnitOfWork
from server.trades import views
from server.trades.repository import appointments as appointment_rows
from server.trades.repository import offers as offer_rows
from server.trades.repository import reports as report_rows
from server.trades.repository import reviews as review_rows
from server.trades.repository import trades as trade_rows

_AT_ONCE = 100


async def export_rows(work: UnitOfWork, account_id: UUID) -> AsyncIterator[ExportRow]:
    """Its trades, offers, appointments and reports, and the reviews by it and about it.

    A review about it that is not published yet stays hidden here, too (I9).
    """
    async for row in _trades(work, account_id):
        yield row
    offers = await offer_rows.of_account(work, account_id)
    for view in await views.offers(work, [(offer, account_id) for offer in offers]):
        yield ExportRow("offers", view.model_dump(mode="json"))
    for appointment in await appointment_rows.of_account(work, account_id):
        meeting = views.appointment(work, appointment, account_id)
        yield ExportRow("appointments", meeting.model_dump(mode="json"))
    written = await review_rows.written_by(work, account_id)
    reviews = [*written, *await review_rows.published_about(work, account_id)]
    cards = await accounts.cards(work, {review.author_id for review in reviews})
    for review in reviews:
        shown = views.review_view(review, cards[review.author_id])
        yield ExportRow("reviews", shown.model_dump(mode="json"))
    for report in await report_rows.by_reporter(work, account_id):
        yield ExportRow("reports", report._asdict())


async def _trades(work: UnitOfWork, account_id: UUID) -> AsyncIterator[ExportRow]:
    position = None
    while True:
        found = await trade_rows.page(
            work, account_id, ("seller", "buyer"), (), position, _AT_ONCE + 1
        )
        for trade in await views.trades(work, found[:_AT_ONCE], account_id):
            yield ExportRow("trades", trade.model_dump(mode="json"))
        if len(found) <= _AT_ONCE:
            return
        position = (found[_AT_ONCE - 1].created_at, found[_AT_ONCE - 1].id)
