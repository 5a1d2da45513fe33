"""What the chat puts into the archive of an account (rule 20)."""

from collections.abc import AsyncIterator
from uuid import UUID

from server.accounts.api import ExportRow
from server.chat import repository
from server.chat.rooms import chatrooms
from server.chat.views import wire_message
from server.platform.unit_of_work import UnitOfWork
from shared_models.bounds import PAGE_MAX

_ROOMS_AT_ONCE = 100


async def export_rows(work: UnitOfWork, account_id: UUID) -> AsyncIterator[ExportRow]:
    """Its rooms, and the history of each as the account may read it, in a file of its own."""
    room_ids = await repository.room_ids_of(work, account_id)
    for start in range(0, len(room_ids), _ROOMS_AT_ONCE):
        some = room_ids[start : start + _ROOMS_AT_ONCE]
        for room in (await chatrooms(work, some, account_id)).values():
            yield ExportRow("chatrooms", room.model_dump(mode="json"))
    for room_id in room_ids:
        async for row in _history(work, room_id, account_id):
            yield row


async def _history(work: UnitOfWork, room_id: UUID, account_id: UUID) -> AsyncIterator[ExportRow]:
    file, seq = f"messages/{room_id}", 0
    while True:
        found = await repository.history(
            work, room_id, account_id, at_least=seq + 1, limit=PAGE_MAX
        )
        if found is None:
            return
        for message in found.messages:
            yield ExportRow(file, wire_message(message, room_id, account_id))
        seq = found.messages[-1].seq
