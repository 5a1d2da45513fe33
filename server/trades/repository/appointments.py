"""The SQL of appointments."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, and_, bindparam, insert, or_, select, update

from server.platform.columns import live
from server.platform.unit_of_work import UnitOfWork
from server.trades.records import PAST, AppointmentRecord
from server.trades.tables import PENDING_NO_SHOW, Appointment
from shared_models.trades import AppointmentState

_COLUMNS: tuple[Any, ...] = (
    Appointment.id,
    Appointment.chatroom_id,
    Appointment.seller_id,
    Appointment.buyer_id,
    Appointment.proposer_id,
    Appointment.at,
    Appointment.place,
    Appointment.state,
    Appointment.no_show_by,
    Appointment.no_show_until,
    Appointment.contested_at,
    Appointment.counted_at,
    Appointment.created_at,
)
_CURRENT_STATES = (AppointmentState.PROPOSED.value, AppointmentState.ACCEPTED.value)
_CURRENT = Appointment.state.in_(_CURRENT_STATES)
_UNREPORTED = and_(Appointment.state == PAST, Appointment.no_show_by.is_(None))
_REPORTED = Appointment.no_show_until.is_not(None)
_COUNTED = Appointment.counted_at.is_not(None)
_SHOWN_BY_ROOM = (
    select(*_COLUMNS)
    .where(
        Appointment.chatroom_id.in_(bindparam("rooms", expanding=True)),
        or_(_CURRENT, _UNREPORTED, _REPORTED),
    )
    .order_by(Appointment.state != PAST, Appointment.created_at, Appointment.id)
)


def _party(account_id: UUID) -> Any:
    return or_(Appointment.seller_id == account_id, Appointment.buyer_id == account_id)


async def _records(work: UnitOfWork, *where: Any) -> list[AppointmentRecord]:
    rows = await work.rows(select(*_COLUMNS).where(*where).order_by(Appointment.chatroom_id))
    return [AppointmentRecord(*tuple(row)) for row in rows]


async def _first(work: UnitOfWork, statement: Executable) -> AppointmentRecord | None:
    row = await work.first(statement)
    return None if row is None else AppointmentRecord(*tuple(row))


async def find(work: UnitOfWork, appointment_id: UUID) -> AppointmentRecord | None:
    """An appointment, whoever asks: for reminders."""
    return await _first(
        work, select(*_COLUMNS).where(Appointment.id == appointment_id, live(Appointment))
    )


async def find_own(
    work: UnitOfWork, appointment_id: UUID, account_id: UUID
) -> AppointmentRecord | None:
    """An appointment of the account with somebody else."""
    found = (Appointment.id == appointment_id, live(Appointment), _party(account_id))
    return await _first(work, select(*_COLUMNS).where(*found))


async def find_all(work: UnitOfWork, ids: Iterable[UUID]) -> list[AppointmentRecord]:
    """Many appointments, whoever asks: for rendering to their parties."""
    rows = await work.rows(select(*_COLUMNS).where(Appointment.id.in_(set(ids)), live(Appointment)))
    return [AppointmentRecord(*tuple(row)) for row in rows]


async def current_in(work: UnitOfWork, chatroom_id: UUID) -> AppointmentRecord | None:
    """The proposed or accepted appointment of a room; there is at most one (rule 12)."""
    return await _first(
        work, select(*_COLUMNS).where(Appointment.chatroom_id == chatroom_id, _CURRENT)
    )


async def shown_by_room(
    work: UnitOfWork, room_ids: Iterable[UUID]
) -> tuple[dict[UUID, AppointmentRecord], dict[UUID, list[AppointmentRecord]]]:
    """What the headers of these rooms show: the current appointment of each, or its last one that
    may still be reported; and those that were.
    """
    found = [
        AppointmentRecord(*tuple(row))
        for row in await work.rows(_SHOWN_BY_ROOM, {"rooms": list(set(room_ids))})
    ]
    present = {one.chatroom_id: one for one in found if _is_present(one)}
    reported: dict[UUID, list[AppointmentRecord]] = {}
    for one in found:
        if one.no_show_until is not None:
            reported.setdefault(one.chatroom_id, []).append(one)
    return present, reported


def _is_present(appointment: AppointmentRecord) -> bool:
    unreported = appointment.state == PAST and appointment.no_show_by is None
    return unreported or appointment.state in _CURRENT_STATES


async def unreported_in(work: UnitOfWork, chatroom_id: UUID) -> list[AppointmentRecord]:
    """The current appointment of a room and those that may still be reported."""
    return await _records(work, Appointment.chatroom_id == chatroom_id, or_(_CURRENT, _UNREPORTED))


async def current_in_rooms(
    work: UnitOfWork, chatroom_ids: Collection[UUID]
) -> list[AppointmentRecord]:
    """The current appointments of many rooms, by room."""
    return await _records(work, Appointment.chatroom_id.in_(list(chatroom_ids)), _CURRENT)


async def current_between(work: UnitOfWork, one: UUID, other: UUID) -> list[AppointmentRecord]:
    """The current appointments of two accounts with each other, by room."""
    pair = and_(_party(one), _party(other))
    return await _records(work, pair, _CURRENT)


async def current_of(work: UnitOfWork, account_id: UUID) -> list[AppointmentRecord]:
    """The current appointments of an account with anybody, by room."""
    return await _records(work, _party(account_id), _CURRENT)


async def of_account(work: UnitOfWork, account_id: UUID) -> list[AppointmentRecord]:
    """All appointments of the account with anybody, oldest first."""
    rows = await work.rows(
        select(*_COLUMNS)
        .where(_party(account_id), live(Appointment))
        .order_by(Appointment.created_at, Appointment.id)
    )
    return [AppointmentRecord(*tuple(row)) for row in rows]


async def add(work: UnitOfWork, appointment: AppointmentRecord, *, reason: str | None) -> None:
    """A new proposal; a second current one in the room loses the unique race."""
    await work.execute(
        insert(Appointment).values(
            id=appointment.id,
            chatroom_id=appointment.chatroom_id,
            seller_id=appointment.seller_id,
            buyer_id=appointment.buyer_id,
            proposer_id=appointment.proposer_id,
            at=appointment.at,
            place=appointment.place,
            state=appointment.state,
            reason=reason,
            created_at=appointment.created_at,
            updated_at=appointment.created_at,
        )
    )


async def move(work: UnitOfWork, appointment: AppointmentRecord, state: str) -> bool:
    """Compare and set: only from the state the decision was made on."""
    hit = await work.changed(
        update(Appointment)
        .where(Appointment.id == appointment.id, Appointment.state == appointment.state)
        .values(state=state, updated_at=work.now)
    )
    return hit == 1


async def report_no_show(
    work: UnitOfWork, appointment_id: UUID, absent_id: UUID, contestable: timedelta
) -> bool:
    """Note who did not come; the first report stands."""
    hit = await work.changed(
        update(Appointment)
        .where(
            Appointment.id == appointment_id,
            Appointment.state.in_([AppointmentState.ACCEPTED.value, PAST]),
            Appointment.no_show_by.is_(None),
        )
        .values(no_show_by=absent_id, no_show_until=work.now + contestable, updated_at=work.now)
    )
    return hit == 1


async def contest_no_show(work: UnitOfWork, appointment_id: UUID, absent_id: UUID) -> bool:
    """Note that who is reported contests it, in time and before it has been counted."""
    hit = await work.changed(
        update(Appointment)
        .where(
            Appointment.id == appointment_id,
            Appointment.no_show_by == absent_id,
            PENDING_NO_SHOW,
            Appointment.no_show_until > work.now,
        )
        .values(contested_at=work.now, updated_at=work.now)
    )
    return hit == 1


async def count_no_show(work: UnitOfWork, appointment_id: UUID) -> bool:
    """Note that the report counts: once, and only one that nobody has contested in time (H5)."""
    hit = await work.changed(
        update(Appointment)
        .where(
            Appointment.id == appointment_id,
            PENDING_NO_SHOW,
            Appointment.no_show_until <= work.now,
        )
        .values(counted_at=work.now, updated_at=work.now)
    )
    return hit == 1


async def reported_in(work: UnitOfWork, chatroom_ids: Collection[UUID]) -> list[AppointmentRecord]:
    """The appointments in these rooms that somebody is reported to have missed, by room."""
    return await _records(work, Appointment.chatroom_id.in_(list(chatroom_ids)), _REPORTED)


async def counted_against(work: UnitOfWork, account_id: UUID) -> list[datetime]:
    """Since when each no-show of an account counts, of those that were added to its number.

    Number and score move in one transaction, so that the two never disagree.
    """
    rows = await work.rows(
        select(Appointment.no_show_until)
        .where(Appointment.no_show_by == account_id, _COUNTED, live(Appointment))
        .order_by(Appointment.no_show_until)
    )
    return [row.no_show_until for row in rows]


async def absent_between(
    work: UnitOfWork, since: datetime, until: datetime, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Whose no-shows count since that time, in the order of their ids."""
    statement = select(Appointment.no_show_by).where(
        Appointment.no_show_by.is_not(None),
        Appointment.no_show_until.between(since, until),
        _COUNTED,
        live(Appointment),
    )
    if after is not None:
        statement = statement.where(Appointment.no_show_by > after)
    rows = await work.rows(statement.distinct().order_by(Appointment.no_show_by).limit(limit))
    return [row.no_show_by for row in rows]
