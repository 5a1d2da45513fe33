"""Reports (rule 15): a reason, a text and a snapshot of what was reported."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from server.accounts import api as accounts
from server.chat import api as chat
from server.listings import api as listings
from server.platform.errors import Forbidden, Invalid, NotFound
from server.platform.rates import refuse_beyond
from server.platform.unit_of_work import UnitOfWork
from server.trades.repository import reports as rows
from shared_models.market import REPORT_REASONS
from shared_models.trades import Report, ReportCreate

REPORTS_PER_DAY = 20

_DAY = timedelta(days=1)
_REASONS = frozenset(reason.id for reason in REPORT_REASONS)


async def report(work: UnitOfWork, body: ReportCreate) -> tuple[Report, bool]:
    """Report an account, a listing or a message; the report and whether it is new.

    What the reporter cannot see is 404, one's own is 403. A second report while the first is open
    is answered with the first. 20 a day.
    """
    me = work.actor.account_id
    snapshot = await _snapshot(work, body)
    if body.reason not in _REASONS:
        raise Invalid.field("reason", "unknown_choice", f"One of {sorted(_REASONS)}.")
    found = await rows.open_one(work, me, body.target_kind, body.target_id)
    if found is not None:
        return _view(found), False
    await _check_count(work, me)
    values = {
        "reporter_id": me,
        "target_kind": body.target_kind,
        "target_id": body.target_id,
        "reason": body.reason,
        "detail": body.detail,
        "snapshot": snapshot,
    }
    return _view(await rows.add(work, values)), True


async def _check_count(work: UnitOfWork, me: UUID) -> None:
    if not work.context.rates.enabled:
        return
    # Held first: the account may be making other reports at this moment.
    await accounts.hold(work, me)
    made = await rows.made_since(work, me, work.now - _DAY)
    detail = f"At most {REPORTS_PER_DAY} reports a day."
    refuse_beyond(made, REPORTS_PER_DAY, _DAY, work.now, detail)


async def _snapshot(work: UnitOfWork, body: ReportCreate) -> dict[str, Any]:
    take = {"account": _account, "listing": _listing, "message": _message}.get(body.target_kind)
    if take is None:
        raise NotFound(body.target_kind)
    owner_id, snapshot = await take(work, body.target_id)
    if owner_id == work.actor.account_id:
        raise Forbidden("own", "That is your own.")
    return snapshot


async def _account(work: UnitOfWork, account_id: UUID) -> tuple[UUID, dict[str, Any]]:
    await accounts.standing(work, account_id)
    card = (await accounts.cards(work, [account_id]))[account_id]
    return account_id, card.model_dump(mode="json")


async def _listing(work: UnitOfWork, listing_id: UUID) -> tuple[UUID, dict[str, Any]]:
    found = await listings.facts(work, listing_id)
    if found is None or not await listings.may_see_facts(work, found):
        raise NotFound("listing")
    return found.seller_id, {
        "seller_id": str(found.seller_id),
        "version": found.version,
        "title": found.title,
        "description": found.description,
        "price": found.price,
        "photos": found.photos,
    }


async def _message(work: UnitOfWork, message_id: UUID) -> tuple[UUID | None, dict[str, Any]]:
    message = await chat.find_message(work, message_id, work.actor.account_id)
    if message is None:
        raise NotFound("message")
    return message.sender_id, message.model_dump(mode="json")


def _view(row: Any) -> Report:
    return Report(
        id=row.id,
        target_kind=row.target_kind,
        target_id=row.target_id,
        reason=row.reason,
        state=row.state,
        created_at=row.created_at,
    )
