"""Who blocks and who follows whom."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, exists, func, or_, select, union_all

from server.accounts.tables import Block, Follow
from server.platform.columns import live
from server.platform.pages import after_position
from server.platform.toggles import toggle
from server.platform.unit_of_work import UnitOfWork

# Asked with every page or message, so they are built once.
_BLOCKS: Any = Block.__table__
_BLOCKED_WITH = union_all(
    select(_BLOCKS.c.blocked_id).where(
        _BLOCKS.c.account_id == bindparam("account_id"), _BLOCKS.c.deleted_at.is_(None)
    ),
    select(_BLOCKS.c.account_id).where(
        _BLOCKS.c.blocked_id == bindparam("account_id"), _BLOCKS.c.deleted_at.is_(None)
    ),
)
_EITHER_BLOCKS = select(
    exists().where(
        or_(
            and_(
                _BLOCKS.c.account_id == bindparam("one"),
                _BLOCKS.c.blocked_id == bindparam("other"),
            ),
            and_(
                _BLOCKS.c.account_id == bindparam("other"),
                _BLOCKS.c.blocked_id == bindparam("one"),
            ),
        ),
        _BLOCKS.c.deleted_at.is_(None),
    )
)


async def blocked_with(work: UnitOfWork, account_id: UUID) -> frozenset[UUID]:
    """Whom the account blocks and who blocks it, in one query."""
    rows = await work.rows(_BLOCKED_WITH, {"account_id": account_id})
    return frozenset(row[0] for row in rows)


async def is_blocked(work: UnitOfWork, one: UUID, other: UUID) -> bool:
    """Whether either blocks the other."""
    return bool(await work.scalar(_EITHER_BLOCKS, {"one": one, "other": other}))


async def blocks(work: UnitOfWork, account_id: UUID, blocked_id: UUID) -> bool:
    """Whether the first blocks the second."""
    return bool(
        await work.scalar(
            select(
                exists().where(
                    Block.account_id == account_id, Block.blocked_id == blocked_id, live(Block)
                )
            )
        )
    )


async def blocked_page(
    work: UnitOfWork, account_id: UUID, position: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """``blocked_id`` and ``since`` of those the account blocks, newest block first.

    A block that was taken back and set again is the same row: its last change is when it began.
    """
    statement = select(Block.blocked_id, Block.updated_at.label("since")).where(
        Block.account_id == account_id, live(Block)
    )
    columns = (Block.updated_at, Block.blocked_id)
    return await work.rows(
        after_position(statement, columns, position, descending=True).limit(limit)
    )


async def set_block(work: UnitOfWork, account_id: UUID, blocked_id: UUID, *, on: bool) -> bool:
    """Make the block be there or not; whether that changed anything."""
    pair = {"account_id": account_id, "blocked_id": blocked_id}
    return await toggle(work, Block, pair, on=on)


async def set_follow(work: UnitOfWork, account_id: UUID, followed_id: UUID, *, on: bool) -> bool:
    """Make the following be there or not; whether that changed anything."""
    pair = {"account_id": account_id, "followed_id": followed_id}
    return await toggle(work, Follow, pair, on=on)


async def follows_count(work: UnitOfWork, account_id: UUID) -> int:
    """How many accounts it follows."""
    count: int = await work.scalar(
        select(func.count()).where(Follow.account_id == account_id, live(Follow))
    )
    return count
