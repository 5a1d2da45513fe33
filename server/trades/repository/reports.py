"""The SQL of reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select

from server.platform.unit_of_work import UnitOfWork
from server.trades.tables import Report

OPEN = "open"

_COLUMNS: tuple[Any, ...] = (
    Report.id,
    Report.target_kind,
    Report.target_id,
    Report.reason,
    Report.state,
    Report.created_at,
)


async def open_one(
    work: UnitOfWork, reporter_id: UUID, target_kind: str, target_id: UUID
) -> Row[Any] | None:
    """The open report of this reporter about this target; there is at most one (rule 15)."""
    return await work.first(
        select(*_COLUMNS).where(
            Report.reporter_id == reporter_id,
            Report.target_kind == target_kind,
            Report.target_id == target_id,
            Report.state == OPEN,
        )
    )


async def made_since(work: UnitOfWork, reporter_id: UUID, since: datetime) -> list[datetime]:
    """When the reporter's reports since then were made, newest first."""
    rows = await work.rows(
        select(Report.created_at)
        .where(Report.reporter_id == reporter_id, Report.created_at > since)
        .order_by(Report.created_at.desc())
    )
    return [row.created_at for row in rows]


async def by_reporter(work: UnitOfWork, reporter_id: UUID) -> Sequence[Row[Any]]:
    """All reports of an account without what they show of others, oldest first."""
    return await work.rows(
        select(*_COLUMNS, Report.detail)
        .where(Report.reporter_id == reporter_id)
        .order_by(Report.created_at, Report.id)
    )


async def add(work: UnitOfWork, values: dict[str, Any]) -> Row[Any]:
    """A new open report; a second one about the target loses the unique race."""
    rows = await work.rows(
        insert(Report)
        .values(id=work.new_id(), state=OPEN, created_at=work.now, updated_at=work.now, **values)
        .returning(*_COLUMNS)
    )
    return rows[0]
