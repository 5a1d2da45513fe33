"""What the worker runs for accounts."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from server.accounts import archive_job, service, sessions
from server.platform.context import Context
from server.platform.jobs import Periodic, Run
from server.platform.unit_of_work import UnitOfWork, transact

_DROP_TICKETS = "accounts.drop_old_tickets"


async def _erase(context: Context, payload: dict[str, Any]) -> None:
    account_id = UUID(payload["account_id"])

    async def erase(work: UnitOfWork) -> None:
        await service.erase_account(work, account_id)

    await transact(context, None, erase)


async def _drop_old_tickets(context: Context, _payload: dict[str, Any]) -> None:
    await transact(context, None, sessions.drop_old_tickets)


async def _make_export(context: Context, payload: dict[str, Any]) -> None:
    await archive_job.make_export(context, UUID(payload["account_id"]), payload["object_key"])


async def _drop_export(context: Context, payload: dict[str, Any]) -> None:
    await archive_job.drop_export(context, payload["object_key"])


RUNNERS: dict[str, Run] = {
    service.ERASE: _erase,
    archive_job.MAKE: _make_export,
    archive_job.DROP: _drop_export,
    _DROP_TICKETS: _drop_old_tickets,
}
DELETING = frozenset({archive_job.DROP})
"""What waits while objects are held for a backup."""

PERIODIC = (Periodic(_DROP_TICKETS, timedelta(hours=1)),)
