"""Trades: what the table in ``machine`` says, carried out in one transaction (rule 2).

Locks are taken in one order everywhere: listing, trade, offer, chatroom, streams (H15). Every
transition is one row, one system message in the room and one notice to who did not cause it (I6).
"""

from datetime import datetime
from functools import partial
from uuid import UUID

from server.accounts import api as accounts
from server.chat import api as chat
from server.listings import api as listings
from server.platform.errors import Conflict, Forbidden, Invalid, NotFound
from server.platform.failures import LostRace
from server.platform.pages import read_page
from server.platform.unit_of_work import UnitOfWork
from server.trades import dropping, machine, texts, timers, views
from server.trades.events import TradeChanged
from server.trades.guards import Denied, Details, Role, Step, role_of
from server.trades.machine import Goods, Transition
from server.trades.metrics import TRANSITIONS
from server.trades.records import TradeRecord, TransitionRecord
from server.trades.repository import appointments as appointment_rows
from server.trades.repository import trades as trade_rows
from shared_models.base import Page
from shared_models.market import CANCEL_REASONS, CARRIERS, PROBLEM_REASONS
from shared_models.trades import (
    OPEN_TRADE_STATES,
    AppointmentState,
    Trade,
    TradeAction,
    TradeCancel,
    TradeProblem,
    TradeShip,
)

_CANCEL_REASONS = frozenset(reason.id for reason in CANCEL_REASONS)
_PROBLEM_REASONS = frozenset(reason.id for reason in PROBLEM_REASONS)
_CARRIERS = frozenset(carrier.id for carrier in CARRIERS)


async def cancel(work: UnitOfWork, trade_id: UUID, body: TradeCancel) -> Trade:
    """T6 and P5; ``reason`` is one of the market's."""
    await _check_choice(work, trade_id, "reason", body.reason, _CANCEL_REASONS)
    details = Details(reason=body.reason, note=body.reason)
    return await act(work, trade_id, "cancel", body, details)


async def ship(work: UnitOfWork, trade_id: UUID, body: TradeShip) -> Trade:
    """P1; ``carrier`` is one of the market's."""
    await _check_choice(work, trade_id, "carrier", body.carrier, _CARRIERS)
    details = Details(carrier=body.carrier, tracking_number=body.tracking_number)
    return await act(work, trade_id, "ship", body, details)


async def report_problem(work: UnitOfWork, trade_id: UUID, body: TradeProblem) -> Trade:
    """T11 and P4; ``reason`` is one of the market's."""
    await _check_choice(work, trade_id, "reason", body.reason, _PROBLEM_REASONS)
    details = Details(reason=body.reason, note=body.detail)
    return await act(work, trade_id, "problem", body, details)


async def _check_choice(
    work: UnitOfWork, trade_id: UUID, field: str, value: str, choices: frozenset[str]
) -> None:
    if await trade_rows.find_own(work, trade_id, work.actor.account_id) is None:
        raise NotFound("trade")
    if value not in choices:
        raise Invalid.field(field, "unknown_choice", f"{field} is one of {sorted(choices)}.")


async def act(
    work: UnitOfWork,
    trade_id: UUID,
    action: str,
    body: TradeAction,
    details: Details | None = None,
) -> Trade:
    """One action of a party on its trade; the trade afterwards.

    404 for a stranger, 403 for the wrong role, 409 ``stale``, ``terminal``, ``wrong_state`` or a
    guard's own code, each with the present trade. Asking again for one's own finished action is
    answered with the present trade whatever version it names (2.5).
    """
    me = work.actor.account_id
    trade = await lock_own(work, trade_id, me)
    role = role_of(trade, me)
    assert role is not None
    blocked = action == "undo" and await _is_blocked(work, trade, me)
    step = Step(role, me, work.now, work.limits, details or Details(), blocked)
    if not machine.already_done(trade, action, step):
        edge = await _choose(work, trade, action, step, body.expected_version)
        trade = await apply(work, trade, edge, step)
    return await views.trade(work, trade, me)


async def _is_blocked(work: UnitOfWork, trade: TradeRecord, me: UUID) -> bool:
    """Its room is held: a block comes before what follows, or finds what it has reserved (T14)."""
    return (await chat.room_for(work, trade.chatroom_id, me, lock=True)).blocked


async def _choose(
    work: UnitOfWork, trade: TradeRecord, action: str, step: Step, expected_version: int
) -> Transition:
    """Confirming goes through whenever it is allowed; the rest needs the present version."""
    stale = expected_version != trade.version
    try:
        edge = machine.choose(trade, action, step)
    except Denied as denied:
        if denied.denial.forbidden:
            raise Forbidden(denied.denial.code, denied.denial.detail) from None
        if not stale:
            raise await _conflict(
                work, trade, step, denied.denial.code, denied.denial.detail
            ) from None
    else:
        if not stale or action == "confirm":
            return edge
    raise await _conflict(work, trade, step, "stale", "The trade has changed. Look again.")


async def _conflict(
    work: UnitOfWork, trade: TradeRecord, step: Step, code: str, detail: str
) -> Conflict:
    assert step.actor_id is not None
    return Conflict(code, detail, current=await views.trade(work, trade, step.actor_id))


async def apply(work: UnitOfWork, trade: TradeRecord, edge: Transition, step: Step) -> TradeRecord:
    """Carry out one row of the table; the trade afterwards. The trade is locked."""
    meeting_at = None
    if edge.timer is machine.Timer.RESERVATION:
        meeting_at = await accepted_meeting(work, trade.chatroom_id)
    due_at = machine.due_after(edge.timer, trade, work.now, work.limits, meeting_at)
    columns = machine.changes(trade, edge, step, due_at)
    by_timer = step.role is Role.SYSTEM
    if not await trade_rows.move(work, trade, columns, by_timer=by_timer):
        raise LostRace(f"trade {trade.id} moved on")
    await add_step(work, trade.id, trade.version + 1, edge.event, edge.target, step)
    await _move_goods(work, trade, edge.goods)
    moved = await trade_rows.find(work, trade.id)
    assert moved is not None
    await _follow_up(work, moved, edge)
    text = texts.of_transition(edge, moved, step.role)
    reason = step.details.reason or edge.cancel_reason
    await tell(work, moved, edge.event, step.actor_id, text, reason=reason)
    await _tell_elsewhere(work, moved, edge, step.actor_id)
    await timers.start(work, moved)
    return moved


async def add_step(
    work: UnitOfWork, trade_id: UUID, version: int, event: str, state: str, step: Step
) -> None:
    """The row of a transition."""
    row = TransitionRecord(
        trade_id, version, event, str(state), step.actor_id, step.details.note, work.now
    )
    await trade_rows.add_transition(work, row)
    work.after_commit(TRANSITIONS.labels(row.state).inc)


async def tell(
    work: UnitOfWork,
    trade: TradeRecord,
    event: str,
    actor_id: UUID | None,
    text: str,
    *,
    reason: str | None = None,
) -> None:
    """The one system message of a transition, and the announcement that becomes its notice.

    ``reason`` is the transition's own, not what an earlier one left on the trade.
    """
    data = {
        "trade_id": str(trade.id),
        "version": trade.version,
        "state": trade.state,
        "agreed_price": trade.agreed_price,
        "reason": reason,
    }
    await chat.post_system(
        work, trade.chatroom_id, event=f"trade_{event}", actor_id=actor_id, text=text, data=data
    )
    work.announce(changed(trade, event, actor_id, text))


def changed(
    trade: TradeRecord,
    event: str,
    actor_id: UUID | None,
    text: str | None = None,
    *,
    only_for: UUID | None = None,
) -> TradeChanged:
    """The announcement that a trade looks different."""
    return TradeChanged(
        trade_id=trade.id,
        version=trade.version,
        listing_id=trade.listing_id,
        chatroom_id=trade.chatroom_id,
        event=event,
        actor_id=actor_id,
        seller_id=trade.seller_id,
        buyer_id=trade.buyer_id,
        text=text,
        only_for=only_for,
    )


async def _move_goods(work: UnitOfWork, trade: TradeRecord, goods: Goods) -> None:
    if goods is Goods.STAYS:
        return
    if goods is Goods.SOLD:
        moved = await listings.mark_sold(work, trade.listing_id)
    else:
        hide = goods is Goods.RELEASED_HIDDEN
        moved = await listings.release(work, trade.listing_id, hide=hide)
    if not moved:
        raise LostRace(f"listing {trade.listing_id} moved on")


async def _follow_up(work: UnitOfWork, trade: TradeRecord, edge: Transition) -> None:
    if edge.target is machine.COMPLETED:
        await accounts.count_trade(work, seller_id=trade.seller_id, buyer_id=trade.buyer_id)
        await dropping.for_good(work, trade.chatroom_id)
    elif edge.target is machine.CANCELED:
        await dropping.in_room(work, trade.chatroom_id)


async def _tell_elsewhere(
    work: UnitOfWork, trade: TradeRecord, edge: Transition, actor_id: UUID | None
) -> None:
    """The other rooms on a sold listing hear of it and turn read-only (T8)."""
    if edge.goods is not Goods.SOLD:
        return
    await chat.post_elsewhere(
        work,
        trade.listing_id,
        except_room_id=trade.chatroom_id,
        event="listing_sold",
        actor_id=actor_id,
        text="This has been sold.",
        data={"listing_id": str(trade.listing_id)},
    )
    await chat.close_rooms(work, trade.listing_id, except_room_id=trade.chatroom_id)


async def accepted_meeting(work: UnitOfWork, chatroom_id: UUID) -> datetime | None:
    """The time of the room's accepted appointment, or None."""
    current = await appointment_rows.current_in(work, chatroom_id)
    accepted = current is not None and current.state == AppointmentState.ACCEPTED
    return current.at if current is not None and accepted else None


async def lock_own(work: UnitOfWork, trade_id: UUID, account_id: UUID) -> TradeRecord:
    """The party's trade, locked after its listing and with an overdue timer settled first."""
    trade = await trade_rows.find_own(work, trade_id, account_id)
    if trade is None:
        raise NotFound("trade")
    return await settle(work, await lock(work, trade))


async def lock(work: UnitOfWork, trade: TradeRecord) -> TradeRecord:
    """A trade as it is once its listing and then itself are locked (H15)."""
    await listings.touch(work, trade.listing_id)
    return await trade_rows.lock(work, trade.id)


async def settle(work: UnitOfWork, trade: TradeRecord) -> TradeRecord:
    """Let an overdue timer of a locked trade run first, so that nobody acts on the past (H5)."""
    step = Step(Role.SYSTEM, None, work.now, work.limits)
    try:
        edge = machine.choose(trade, "timer", step)
    except Denied:
        return trade
    return await apply(work, trade, edge, step)


async def run_timer(work: UnitOfWork, trade_id: UUID) -> None:
    """T9, T12b, T13 and P3; nothing happens when the timer has not run out."""
    trade = await trade_rows.find(work, trade_id)
    if trade is not None:
        await settle(work, await lock(work, trade))


async def moderate(work: UnitOfWork, trade_id: UUID, action: str, note: str) -> None:
    """A moderator's ``resolve_completed``, ``resolve_canceled`` (T12) or ``remove`` (T14)."""
    found = await trade_rows.find(work, trade_id)
    if found is None:
        raise NotFound("trade")
    trade = await settle(work, await lock(work, found))
    step = Step(Role.MODERATOR, None, work.now, work.limits, Details(note=note))
    try:
        edge = machine.choose(trade, action, step)
    except Denied as denied:
        raise Conflict(denied.denial.code, denied.denial.detail) from None
    await apply(work, trade, edge, step)


async def get(work: UnitOfWork, trade_id: UUID) -> Trade:
    """The actor's trade."""
    me = work.actor.account_id
    trade = await trade_rows.find_own(work, trade_id, me)
    if trade is None:
        raise NotFound("trade")
    return await views.trade(work, trade, me)


async def page(
    work: UnitOfWork, *, role: str | None, state: str | None, limit: int, cursor: str | None
) -> Page[Trade]:
    """The actor's trades, newest first; ``state`` is a state or ``open`` for all open ones."""
    me = work.actor.account_id
    roles = [role] if role else ["seller", "buyer"]
    states = [state] if state else []
    if state == "open":
        states = [open_state.value for open_state in OPEN_TRADE_STATES]
    shown, next_cursor = await read_page(
        partial(trade_rows.page, work, me, roles, states),
        limit,
        cursor,
        secret=work.context.secret,
        scope=f"trades:{me}:{role}:{state}",
        key=lambda trade: (trade.created_at, trade.id),
    )
    return Page[Trade](items=await views.trades(work, shown, me), next_cursor=next_cursor)
