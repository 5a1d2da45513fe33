"""Every SQL statement of notifications."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, func, insert, select, tuple_, update

from server.notifications.tables import Notification
from server.platform.columns import live
from server.platform.pages import after_position
from server.platform.unit_of_work import UnitOfWork

_COLUMNS: tuple[Any, ...] = (
    Notification.id,
    Notification.kind,
    Notification.event,
    Notification.text,
    Notification.data,
    Notification.silent,
    Notification.read_at,
    Notification.created_at,
)
_KEY = (Notification.created_at, Notification.id)
_UNREAD = select(func.count()).where(
    Notification.account_id == bindparam("account"),
    Notification.read_at.is_(None),
    live(Notification),
)

_MARK_MESSAGES_READ = (
    update(Notification)
    .where(
        Notification.account_id == bindparam("account"),
        # By key: there may be many unread ones, and nearly all of them are of something else.
        Notification.dedup_key.between(bindparam("first"), bindparam("last")),
        Notification.data["seq"].as_integer() <= bindparam("mark"),
        Notification.read_at.is_(None),
        live(Notification),
    )
    .values(read_at=bindparam("now"), updated_at=bindparam("now"))
    .returning(*_KEY)
)


async def told_already(
    work: UnitOfWork, account_ids: Iterable[UUID], dedup_key: str
) -> frozenset[UUID]:
    """Which of the accounts have a notice of this key."""
    rows = await work.rows(
        select(Notification.account_id).where(
            Notification.account_id.in_(list(account_ids)), Notification.dedup_key == dedup_key
        )
    )
    return frozenset(row.account_id for row in rows)


async def add(work: UnitOfWork, notices: Sequence[dict[str, Any]]) -> None:
    """New notices; one that exists by its key loses the unique race."""
    await work.execute(insert(Notification), notices)


async def rewrite(
    work: UnitOfWork, account_ids: Iterable[UUID], dedup_key: str, text: str, data: dict[str, Any]
) -> None:
    """Let the accounts' notices of this key say something else."""
    await work.execute(
        update(Notification)
        .where(Notification.account_id.in_(list(account_ids)), Notification.dedup_key == dedup_key)
        .values(text=text, data=data, updated_at=work.now)
    )


async def page(
    work: UnitOfWork, account_id: UUID, position: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """``limit`` of the account's notices, newest first."""
    statement = select(*_COLUMNS).where(Notification.account_id == account_id, live(Notification))
    paged = after_position(statement, list(_KEY), position, descending=True)
    return await work.rows(paged.limit(limit))


async def position_of(
    work: UnitOfWork, account_id: UUID, notification_id: UUID
) -> tuple[datetime, UUID] | None:
    """Where one of the account's notices stands in its list."""
    row = await work.first(
        select(*_KEY).where(
            Notification.id == notification_id,
            Notification.account_id == account_id,
            live(Notification),
        )
    )
    return None if row is None else (row.created_at, row.id)


async def mark_read(work: UnitOfWork, account_id: UUID, up_to: tuple[datetime, UUID]) -> int:
    """Mark every notice up to this position read; how many there were."""
    here = tuple_(*up_to, types=[column.type for column in _KEY])
    return await work.changed(
        update(Notification)
        .where(
            Notification.account_id == account_id,
            Notification.read_at.is_(None),
            tuple_(*_KEY) <= here,
        )
        .values(read_at=work.now, updated_at=work.now)
    )


async def mark_messages_read(
    work: UnitOfWork, account_id: UUID, keys: tuple[str, str], seq: int
) -> UUID | None:
    """Mark the notices of messages up to ``seq`` read, whose keys are from the first of ``keys`` to
    the last; the newest of them, None without any.
    """
    wanted = {"account": account_id, "first": keys[0], "last": keys[1], "mark": seq}
    rows = await work.rows(_MARK_MESSAGES_READ, wanted | {"now": work.now})
    newest = max(((row.created_at, row.id) for row in rows), default=None)
    return None if newest is None else newest[1]


async def unread_count(work: UnitOfWork, account_id: UUID) -> int:
    """How many notices the account has not read."""
    found: int = await work.scalar(_UNREAD, {"account": account_id})
    return found


async def forget_before(work: UnitOfWork, moment: datetime) -> int:
    """Delete what is older; how many there were."""
    return await work.changed(delete(Notification).where(Notification.created_at < moment))
