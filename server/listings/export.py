"""What listings put into the archive of an account (rule 20)."""

from collections.abc import AsyncIterator
from uuid import UUID

from server.accounts.api import ExportRow
from server.listings import repository
from server.platform.unit_of_work import UnitOfWork


async def export_rows(work: UnitOfWork, account_id: UUID) -> AsyncIterator[ExportRow]:
    """What it offers or offered, likes, has looked at and has searched for."""
    for file, rows in (
        ("listings", await repository.all_of_seller(work, account_id)),
        ("likes", await repository.all_likes(work, account_id)),
        ("recently_viewed", await repository.all_views(work, account_id)),
        ("searches", await repository.all_searches(work, account_id)),
    ):
        for row in rows:
            yield ExportRow(file, row._asdict())
