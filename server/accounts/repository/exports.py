"""The archives that accounts have asked for, and what accounts themselves put into one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from server.accounts.tables import Account, Block, Export, Follow, Session
from server.platform.columns import live
from server.platform.unit_of_work import UnitOfWork


async def export_of(work: UnitOfWork, account_id: UUID) -> Row[Any] | None:
    """``object_key``, ``requested_at`` and ``ready_at`` of the account's archive."""
    return await work.first(
        select(Export.object_key, Export.requested_at, Export.ready_at).where(
            Export.account_id == account_id
        )
    )


async def begin_export(work: UnitOfWork, account_id: UUID, object_key: str) -> None:
    """A new archive in the place of the one before."""
    await work.execute(delete(Export).where(Export.account_id == account_id))
    await work.execute(
        insert(Export).values(
            account_id=account_id,
            object_key=object_key,
            requested_at=work.now,
            created_at=work.now,
            updated_at=work.now,
        )
    )


async def export_wanted(work: UnitOfWork, object_key: str) -> bool:
    """Whether the archive is still to be made, for a live account."""
    statement = (
        select(Export.account_id)
        .join(Account, Account.id == Export.account_id)
        .where(Export.object_key == object_key, Export.ready_at.is_(None), live(Account))
    )
    return await work.first(statement) is not None


async def finish_export(work: UnitOfWork, object_key: str) -> bool:
    """The archive is in the store; whether anybody still wants it."""
    hit = await work.changed(
        update(Export)
        .where(Export.object_key == object_key)
        .values(ready_at=work.now, updated_at=work.now)
    )
    return hit == 1


async def ready_exports(work: UnitOfWork) -> Sequence[str]:
    """Where everybody's archives are that are made; for a backup."""
    rows = await work.rows(select(Export.object_key).where(Export.ready_at.is_not(None)))
    return [row.object_key for row in rows]


async def drop_export(work: UnitOfWork, object_key: str) -> None:
    """Forget an archive."""
    await work.execute(delete(Export).where(Export.object_key == object_key))


async def account_facts(work: UnitOfWork, account_id: UUID) -> Row[Any] | None:
    """What the account has beyond what it sees of itself every day."""
    return await work.first(
        select(Account.no_shows, Account.suspended_until, Account.updated_at).where(
            Account.id == account_id
        )
    )


async def all_sessions(work: UnitOfWork, account_id: UUID) -> Sequence[Row[Any]]:
    """The account's devices, also those that are signed out."""
    return await work.rows(
        select(
            Session.id,
            Session.device,
            Session.created_at,
            Session.last_seen_at,
            Session.deleted_at.label("ended_at"),
        )
        .where(Session.account_id == account_id)
        .order_by(Session.created_at, Session.id)
    )


async def all_blocks(work: UnitOfWork, account_id: UUID) -> Sequence[Row[Any]]:
    """Whom the account blocks, and since when."""
    return await work.rows(
        select(Block.blocked_id.label("account_id"), Block.updated_at.label("since"))
        .where(Block.account_id == account_id, live(Block))
        .order_by(Block.blocked_id)
    )


async def all_follows(work: UnitOfWork, account_id: UUID) -> Sequence[Row[Any]]:
    """Whom the account follows, and since when."""
    return await work.rows(
        select(Follow.followed_id.label("account_id"), Follow.updated_at.label("since"))
        .where(Follow.account_id == account_id, live(Follow))
        .order_by(Follow.followed_id)
    )
