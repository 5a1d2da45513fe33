"""How appointments end because what they were for has ended (rule 12).

One that was agreed on and whose time has come can still be reported as a no-show afterwards, until
the trade in its room is completed: then the two have met.
"""

from collections.abc import Sequence
from uuid import UUID

from server.chat import api as chat
from server.platform.unit_of_work import UnitOfWork
from server.trades import meetings
from server.trades.records import AppointmentRecord
from server.trades.repository import appointments as rows
from shared_models.trades import AppointmentState

_DROPPED = AppointmentState.DROPPED


async def in_room(work: UnitOfWork, room_id: UUID) -> None:
    """The trade in the room is canceled, or goes by post."""
    await _drop(work, await rows.current_in_rooms(work, [room_id]))


async def for_good(work: UnitOfWork, room_id: UUID) -> None:
    """The trade in the room is completed: nothing is left to report, either."""
    for appointment in await rows.unreported_in(work, room_id):
        await _end(work, appointment, _DROPPED)


async def on_listing(work: UnitOfWork, listing_id: UUID) -> None:
    """The listing is sold or gone: nobody meets about it in any of its rooms."""
    rooms = [room.id for room in await chat.rooms_on(work, [listing_id])]
    await _drop(work, await rows.current_in_rooms(work, rooms))


async def between(work: UnitOfWork, one: UUID, other: UUID) -> None:
    """The two no longer deal with each other."""
    await _drop(work, await rows.current_between(work, one, other))


async def of_account(work: UnitOfWork, account_id: UUID) -> None:
    """The account is gone."""
    await _drop(work, await rows.current_of(work, account_id))


async def _drop(work: UnitOfWork, appointments: Sequence[AppointmentRecord]) -> None:
    for appointment in appointments:
        await _end(work, appointment, meetings.ended(appointment, _DROPPED, work.now))


async def _end(work: UnitOfWork, appointment: AppointmentRecord, state: str) -> None:
    """What has ended otherwise meanwhile is left as it is."""
    if await rows.move(work, appointment, state):
        work.announce(meetings.changed(appointment, "dropped", None))
