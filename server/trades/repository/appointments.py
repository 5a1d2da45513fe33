"""The SQL of appointments."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, insert, or_, select, update

from server.platform.database import live
from server.platform.unit_of_work import UnitOfWork
from server.trades.records import AppointmentRecord
from server.trades.tables import Appointment
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
    Appointment.created_at,
)
_CURRENT = Appointment.state.in_([AppointmentState.PROPOSED.value, AppointmentState.ACCEPTED.value])


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
    party = or_(Appointment.seller_id == account_id, Appointment.buyer_id == account_id)
    return await _first(
        work, select(*_COLUMNS).where(Appointment.id == appointment_id, live(Appointment), party)
    )


async def find_all(work: UnitOfWork, ids: Iterable[UUID]) -> list[AppointmentRecord]:
    """Many appointments, whoever asks: for rendering to their parties."""
    rows = await work.rows(select(*_COLUMNS).where(Appointment.id.in_(set(ids)), live(Appointment)))
    return [AppointmentRecord(*tuple(row)) for row in rows]


async def current_by_room(
    work: UnitOfWork, room_ids: Iterable[UUID]
) -> dict[UUID, AppointmentRecord]:
    """The proposed or accepted appointments of these rooms."""
    rows = await work.rows(
        select(*_COLUMNS).where(Appointment.chatroom_id.in_(set(room_ids)), _CURRENT)
    )
    return {row.chatroom_id: AppointmentRecord(*tuple(row)) for row in rows}


async def current_in(work: UnitOfWork, chatroom_id: UUID) -> AppointmentRecord | None:
    """The proposed or accepted appointment of a room; there is at most one (rule 12)."""
    return await _first(
        work, select(*_COLUMNS).where(Appointment.chatroom_id == chatroom_id, _CURRENT)
    )


async def of_account(work: UnitOfWork, account_id: UUID) -> list[AppointmentRecord]:
    """All appointments of the account with anybody, oldest first."""
    party = or_(Appointment.seller_id == account_id, Appointment.buyer_id == account_id)
    rows = await work.rows(
        select(*_COLUMNS)
        .where(party, live(Appointment))
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


async def move(work: UnitOfWork, appointment: AppointmentRecord, state: AppointmentState) -> bool:
    """Compare and set: only from the state the decision was made on."""
    hit = await work.changed(
        update(Appointment)
        .where(Appointment.id == appointment.id, Appointment.state == appointment.state)
        .values(state=state.value, updated_at=work.now)
    )
    return hit == 1


async def report_no_show(work: UnitOfWork, appointment_id: UUID, absent_id: UUID) -> bool:
    """Note who did not come; the first report stands."""
    hit = await work.changed(
        update(Appointment)
        .where(
            Appointment.id == appointment_id,
            Appointment.state == AppointmentState.ACCEPTED.value,
            Appointment.no_show_by.is_(None),
        )
        .values(no_show_by=absent_id, updated_at=work.now)
    )
    return hit == 1
