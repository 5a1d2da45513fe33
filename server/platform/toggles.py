"""Rows that are there or not: one that was taken back comes back as the same row."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import exists, insert, select, update

from server.platform.columns import Entity, live
from server.platform.unit_of_work import UnitOfWork


async def toggle(
    work: UnitOfWork, table: type[Entity], key: Mapping[str, UUID], *, on: bool
) -> bool:
    """Make the row with this key be there or not; whether that changed anything."""
    this_one: list[Any] = [getattr(table, column) == value for column, value in key.items()]
    other_way = table.deleted_at.is_not(None) if on else live(table)
    gone_at = None if on else work.now
    turned = await work.changed(
        update(table).where(*this_one, other_way).values(deleted_at=gone_at, updated_at=work.now)
    )
    if turned or not on:
        return bool(turned)
    if await work.scalar(select(exists().where(*this_one))):
        return False
    await work.execute(insert(table).values(**key, created_at=work.now, updated_at=work.now))
    return True
