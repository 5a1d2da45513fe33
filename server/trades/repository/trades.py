"""The SQL of trades and their transitions."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Executable,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from server.platform.columns import live
from server.platform.pages import after_position
from server.platform.state_gauges import set_states
from server.platform.unit_of_work import Parameters, UnitOfWork
from server.trades.metrics import OPEN_TRADES
from server.trades.records import TradeRecord, TransitionRecord
from server.trades.tables import OPEN_TRADE, Appointment, Trade, Transition
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


def _party(account_id: Any) -> Any:
    return or_(Trade.seller_id == account_id, Trade.buyer_id == account_id)


_LAST = and_(Transition.trade_id == Trade.id, Transition.version == Trade.version)
_TRADES = select(*_COLUMNS).join(Transition, _LAST).where(live(Trade))
_NEWEST_FIRST = (Trade.created_at.desc(), Trade.id.desc())
_RANKED = (
    select(
        Trade.id,
        func.row_number()
        .over(partition_by=Trade.chatroom_id, order_by=_NEWEST_FIRST)
        .label("place"),
    )
    .where(live(Trade), Trade.chatroom_id.in_(bindparam("rooms", expanding=True)))
    .subquery()
)

# The hottest statements of all: building one costs more than running it.
_FIND = _TRADES.where(Trade.id == bindparam("id"))
_FIND_OWN = _FIND.where(_party(bindparam("account")))
_FIND_ALL = _TRADES.where(Trade.id.in_(bindparam("ids", expanding=True)))
_NEWEST_IN = _TRADES.where(Trade.id.in_(select(_RANKED.c.id).where(_RANKED.c.place == 1)))
# What ``review_window.window`` says of a canceled trade, of rows.
_NOT_MET = (
    exists()
    .where(
        Appointment.chatroom_id == Trade.chatroom_id,
        Appointment.at.between(Trade.created_at, Trade.updated_at),
        Appointment.no_show_by != bindparam("account"),
        Appointment.no_show_until <= bindparam("now"),
        Appointment.contested_at.is_(None),
        or_(
            Appointment.no_show_until > bindparam("reviewed_since"),
            Trade.updated_at > bindparam("reviewed_since"),
        ),
    )
    .correlate(Trade)
)
_OF_INTEREST = _TRADES.where(
    _party(bindparam("account")),
    or_(
        _OPEN,
        and_(
            Trade.state == TradeState.COMPLETED.value,
            Trade.review_until > bindparam("now"),
        ),
        and_(Trade.state == TradeState.CANCELED.value, _NOT_MET),
    ),
).order_by(*_NEWEST_FIRST)
_TIMELINES = (
    select(
        Transition.trade_id,
        Transition.version,
        Transition.event,
        Transition.state,
        Transition.actor_id,
        Transition.note,
        Transition.created_at,
    )
    .where(Transition.trade_id.in_(bindparam("ids", expanding=True)))
    .order_by(Transition.trade_id, Transition.version)
)


async def _records(
    work: UnitOfWork, statement: Executable, wanted: Parameters | None = None
) -> list[TradeRecord]:
    return [TradeRecord(*tuple(row)) for row in await work.rows(statement, wanted)]


async def _first(
    work: UnitOfWork, statement: Executable, wanted: Parameters | None = None
) -> TradeRecord | None:
    row = await work.first(statement, wanted)
    return None if row is None else TradeRecord(*tuple(row))


async def find(work: UnitOfWork, trade_id: UUID) -> TradeRecord | None:
    """A trade, whoever asks: for timers and for rendering to its parties."""
    return await _first(work, _FIND, {"id": trade_id})


async def find_own(work: UnitOfWork, trade_id: UUID, account_id: UUID) -> TradeRecord | None:
    """A trade that the account is a party of."""
    return await _first(work, _FIND_OWN, {"id": trade_id, "account": account_id})


async def lock(work: UnitOfWork, trade_id: UUID) -> TradeRecord:
    """A trade that exists, locked; its listing was locked before (H15)."""
    await work.execute(select(Trade.id).where(Trade.id == trade_id).with_for_update(key_share=True))
    found = await find(work, trade_id)
    assert found is not None
    return found


async def find_all(work: UnitOfWork, ids: Iterable[UUID]) -> list[TradeRecord]:
    """Many trades, whoever asks: for rendering to their parties."""
    return await _records(work, _FIND_ALL, {"ids": list(set(ids))})


async def open_on(work: UnitOfWork, listing_id: UUID) -> TradeRecord | None:
    """The open trade on a listing (I1)."""
    return await _first(work, _TRADES.where(Trade.listing_id == listing_id, _OPEN))


async def newest_in(work: UnitOfWork, room_ids: Iterable[UUID]) -> dict[UUID, TradeRecord]:
    """The newest trade of each room, open or final, by room."""
    found = await _records(work, _NEWEST_IN, {"rooms": list(set(room_ids))})
    return {trade.chatroom_id: trade for trade in found}


async def canceled_in(work: UnitOfWork, chatroom_id: UUID) -> list[TradeRecord]:
    """The canceled trades of a room."""
    in_room = (Trade.chatroom_id == chatroom_id, Trade.state == TradeState.CANCELED.value)
    return await _records(work, _TRADES.where(*in_room).order_by(Trade.created_at))


async def between(work: UnitOfWork, one: UUID, other: UUID, state: TradeState) -> list[TradeRecord]:
    """The trades of two accounts in this state, in the order in which they are locked (T14)."""
    pair = or_(
        and_(Trade.seller_id == one, Trade.buyer_id == other),
        and_(Trade.seller_id == other, Trade.buyer_id == one),
    )
    in_state = Trade.state == state.value
    return await _records(work, _TRADES.where(pair, in_state).order_by(Trade.listing_id))


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
    since = work.now - timedelta(days=work.limits.review_days)
    wanted = {"account": account_id, "now": work.now, "reviewed_since": since}
    return await _records(work, _OF_INTEREST, wanted)


async def page(
    work: UnitOfWork,
    account_id: UUID,
    roles: Sequence[str],
    states: Sequence[str],
    position: Sequence[Any] | None,
    limit: int,
) -> list[TradeRecord]:
    """The account's trades, newest first; each role is walked on its own index."""
    key = [Trade.created_at, Trade.id]
    sides = {"seller": Trade.seller_id, "buyer": Trade.buyer_id}
    parts = []
    for role in roles:
        side = select(*key).where(live(Trade), sides[role] == account_id)
        if states:
            side = side.where(Trade.state.in_(states))
        side = after_position(side, key, position, descending=True).limit(limit)
        parts.append(select(side.subquery()))
    wanted = union_all(*parts).subquery()
    ids = select(wanted.c.id).order_by(wanted.c.created_at.desc(), wanted.c.id.desc())
    return await _records(
        work,
        _TRADES.where(Trade.id.in_(ids.limit(limit))).order_by(
            Trade.created_at.desc(), Trade.id.desc()
        ),
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
    rows = await work.rows(_TIMELINES, {"ids": list(trade_ids)})
    found: dict[UUID, list[TransitionRecord]] = {}
    for row in rows:
        found.setdefault(row.trade_id, []).append(TransitionRecord(*tuple(row)))
    return found


async def measure(work: UnitOfWork) -> None:
    """Set the gauges of the open trades; read along their index."""
    open_ones = select(Trade.state).where(live(Trade), OPEN_TRADE).order_by(Trade.due_at)
    await set_states(work, OPEN_TRADES, OPEN_TRADE_STATES, open_ones)
