"""What accounts and their photos put into the archive of an account (rule 20)."""

from collections.abc import AsyncIterator
from uuid import UUID

from server.accounts import repository
from server.accounts.ports import ExportRow
from server.accounts.service import own_account
from server.media import api as media
from server.platform.unit_of_work import UnitOfWork


async def export_rows(work: UnitOfWork, account_id: UUID) -> AsyncIterator[ExportRow]:
    """The account, its devices, whom it blocks and follows, and what its photos are."""
    account = await own_account(work, account_id)
    facts = await repository.account_facts(work, account_id)
    yield ExportRow("account", account.model_dump(mode="json") | (facts._asdict() if facts else {}))
    for file, rows in (
        ("sessions", await repository.all_sessions(work, account_id)),
        ("blocks", await repository.all_blocks(work, account_id)),
        ("follows", await repository.all_follows(work, account_id)),
        ("photos", await media.photos_of(work, account_id)),
    ):
        for row in rows:
            yield ExportRow(file, row._asdict())
