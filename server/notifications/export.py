"""What notifications put into the archive of an account (rule 20)."""

from collections.abc import AsyncIterator
from uuid import UUID

from server.accounts.api import ExportRow
from server.notifications import repository
from server.notifications.service import shown_of
from server.platform.unit_of_work import UnitOfWork

_AT_ONCE = 500


async def export_rows(work: UnitOfWork, account_id: UUID) -> AsyncIterator[ExportRow]:
    """Its notices of the last 90 days, newest first."""
    position = None
    while True:
        found = await repository.page(work, account_id, position, _AT_ONCE + 1)
        for notice in await shown_of(work, [row._asdict() for row in found[:_AT_ONCE]]):
            yield ExportRow("notifications", notice.model_dump(mode="json"))
        if len(found) <= _AT_ONCE:
            return
        position = (found[_AT_ONCE - 1].created_at, found[_AT_ONCE - 1].id)
