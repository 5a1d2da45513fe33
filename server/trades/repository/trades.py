"""The SQL of trades and their transitions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Executable,
    Select,
    and_,
    exists,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from server.platform.database import live
from server.platform.pages import after_position
from server.platform.unit_of_work import UnitOfWork
from server.trades.records import TradeRecord, TransitionRecord
from server.trades.tables import Trade, Transition
from shared_models.trades import OPEN_TRADE_STATES, TradeState

_COLUMNS: tuple[Any, ...] = (
    Trade.id,
    Trade.version,
    Trade.listing_id,
    Trade.chatroom_id,
    Trade.seller_id,
    Trade.buyer_id,
    Trade.agreed_price,
    Trade.method,
    Trade.state,
    Trade.due_at,
    Trade.seller_confirmed_at,
    Trade.buyer_confirmed_at,
    Trade.cancel_reason,
    Trade.cancel_consented_at,
    Trade.carrier,
    Trade.tracking_number,
    Trade.problem_reason,
    Trade.problem_by,
    Trade.disputed_from,
    Trade.auto_completed,
    Trade.completed_at,
    Trade.review_until,
    Trade.snapshot,
    Trade.created_at,
    Trade.updated_at,
    Transition.event,
    Transition.actor_id,
)
_OPEN = Trade.state.in_([state.value for state in OPEN_TRADE_STATES])


def _trades() -> Select[Any]:
    """Trades with their last transition."""
    last = and_(Transition.trade_id == Trade.id, Transition.version == Trade.version)
    return select(*_COLUMNS).join(Transition, last).where(live(Trade))


async def _records(work: UnitOfWork, statement: Executable) -> list[TradeRecord]:
    return [TradeRecord(*tuple(row)) for row in await work.rows(statement)]


async def _first(work: UnitOfWork, statement: Executable) -> TradeRecord | None:
    row = await work.first(statement)
    return None if row is None else TradeRecord(*tuple(row))


async def find(work: UnitOfWork, trade_id: UUID) -> TradeRecord | None:
    """A trade, whoever asks: for timers and for rendering to its parties."""
    return await _first(work, _trades().where(Trade.id == trade_id))


async def find_own(work: UnitOfWork, trade_id: UUID, account_id: UUID) -> TradeRecord | None:
    """A trade that the account is a party of."""
    return await _first(work, _trades().where(Trade.id == trade_id, _party(account_id)))


async def lock(work: UnitOfWork, trade_id: UUID) -> TradeRecord:
    """A trade that exists, locked; its listing was locked before (H15)."""
    await work.execute(select(Trade.id).where(Trade.id == trade_id).with_for_update(key_share=True))
    found = await find(work, trade_id)
    assert found is not None
    return found


async def find_all(work: UnitOfWork, ids: Iterable[UUID]) -> list[TradeRecord]:
    """Many trades, whoever asks: for rendering to their parties."""
    return await _records(work, _trades().where(Trade.id.in_(set(ids))))


async def open_on(work: UnitOfWork, listing_id: UUID) -> TradeRecord | None:
    """The open trade on a listing (I1)."""
    return await _first(work, _trades().where(Trade.listing_id == listing_id, _OPEN))


async def newest_in(work: UnitOfWork, room_ids: Iterable[UUID]) -> dict[UUID, TradeRecord]:
    """The newest trade of each room, open or final, by room."""
    newest_first = (Trade.created_at.desc(), Trade.id.desc())
    place = func.row_number().over(partition_by=Trade.chatroom_id, order_by=newest_first)
    ranked = (
        select(Trade.id, place.label("place"))
        .where(live(Trade), Trade.chatroom_id.in_(set(room_ids)))
        .subquery()
    )
    newest = select(ranked.c.id).where(ranked.c.place == 1)
    found = await _records(work, _trades().where(Trade.id.in_(newest)))
    return {trade.chatroom_id: trade for trade in found}


async def between(work: UnitOfWork, one: UUID, other: UUID, state: TradeState) -> list[TradeRecord]:
    """The trades of two accounts in this state, in the order in which they are locked (T14)."""
    pair = or_(
        and_(Trade.seller_id == one, Trade.buyer_id == other),
        and_(Trade.seller_id == other, Trade.buyer_id == one),
    )
    in_state = Trade.state == state.value
    return await _records(work, _trades().where(pair, in_state).order_by(Trade.listing_id))


async def has_open(work: UnitOfWork, account_id: UUID) -> bool:
    """Whether the account is a party of any open trade (H10)."""
    return bool(await work.scalar(select(exists().where(live(Trade), _OPEN, _party(account_id)))))


async def is_party(work: UnitOfWork, listing_id: UUID, account_id: UUID) -> bool:
    """Whether the account has a trade on the listing, open or finished."""
    return bool(
        await work.scalar(
            select(exists().where(live(Trade), Trade.listing_id == listing_id, _party(account_id)))
        )
    )


async def of_interest(work: UnitOfWork, account_id: UUID) -> list[TradeRecord]:
    """The account's open trades and those whose review window is open, newest first."""
    reviewable = and_(Trade.state == TradeState.COMPLETED.value, Trade.review_until > work.now)
    return await _records(
        work,
        _trades()
        .where(_party(account_id), or_(_OPEN, reviewable))
        .order_by(Trade.created_at.desc(), Trade.id.desc()),
    )


async def page(
    work: UnitOfWork,
    account_id: UUID,
    *,
    roles: Sequence[str],
    states: Sequence[str],
    position: Sequence[Any] | None,
    limit: int,
) -> list[TradeRecord]:
    """``limit + 1`` of the account's trades, newest first; each role is walked on its own index."""
    key = [Trade.created_at, Trade.id]
    sides = {"seller": Trade.seller_id, "buyer": Trade.buyer_id}
    parts = []
    for role in roles:
        side = select(*key).where(live(Trade), sides[role] == account_id)
        if states:
            side = side.where(Trade.state.in_(states))
        side = after_position(side, key, position, descending=True).limit(limit + 1)
        parts.append(select(side.subquery()))
    wanted = union_all(*parts).subquery()
    ids = select(wanted.c.id).order_by(wanted.c.created_at.desc(), wanted.c.id.desc())
    return await _records(
        work,
        _trades()
        .where(Trade.id.in_(ids.limit(limit + 1)))
        .order_by(Trade.created_at.desc(), Trade.id.desc()),
    )


async def add(work: UnitOfWork, values: dict[str, Any]) -> None:
    """A new trade; a second open one on the listing loses the unique race (H1)."""
    await work.execute(
        insert(Trade).values(version=1, created_at=work.now, updated_at=work.now, **values)
    )


async def move(
    work: UnitOfWork, trade: TradeRecord, columns: dict[str, Any], *, by_timer: bool
) -> bool:
    """Compare and set: only from the state and version the decision was made on (H2, H3, H5)."""
    statement = update(Trade).where(
        Trade.id == trade.id, Trade.state == trade.state, Trade.version == trade.version
    )
    if by_timer:
        statement = statement.where(Trade.due_at <= work.now)
    hit = await work.changed(
        statement.values(version=trade.version + 1, updated_at=work.now, **columns)
    )
    return hit == 1


async def set_due(work: UnitOfWork, trade: TradeRecord, due_at: datetime) -> bool:
    """Move the timer of a reserved trade (T5); no transition, so the version stays."""
    hit = await work.changed(
        update(Trade)
        .where(Trade.id == trade.id, Trade.state == trade.state, Trade.version == trade.version)
        .values(due_at=due_at, updated_at=work.now)
    )
    return hit == 1


async def add_transition(work: UnitOfWork, step: TransitionRecord) -> None:
    """The row of one transition; unique for its trade and version (I6)."""
    await work.execute(
        insert(Transition).values(
            id=work.new_id(),
            trade_id=step.trade_id,
            version=step.version,
            event=step.event,
            state=step.state,
            actor_id=step.actor_id,
            note=step.note,
            created_at=step.created_at,
        )
    )


async def timelines(
    work: UnitOfWork, trade_ids: Iterable[UUID]
) -> dict[UUID, list[TransitionRecord]]:
    """The transitions of many trades in one query, each in order."""
    rows = await work.rows(
        select(
            Transition.trade_id,
            Transition.version,
            Transition.event,
            Transition.state,
            Transition.actor_id,
            Transition.note,
            Transition.created_at,
        )
        .where(Transition.trade_id.in_(list(trade_ids)))
        .order_by(Transition.trade_id, Transition.version)
    )
    found: dict[UUID, list[TransitionRecord]] = {}
    for row in rows:
        found.setdefault(row.trade_id, []).append(TransitionRecord(*tuple(row)))
    return found


def _party(account_id: UUID) -> Any:
    return or_(Trade.seller_id == account_id, Trade.buyer_id == account_id)
