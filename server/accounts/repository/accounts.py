"""The rows of accounts: the own view, the profile and the card."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, bindparam, exists, insert, or_, select, update

from server.accounts.tables import Account, Block, Follow
from server.platform.columns import live, stored_id
from server.platform.unit_of_work import UnitOfWork

_OWN = (
    Account.id,
    Account.handle,
    Account.display_name,
    Account.place,
    Account.avatar,
    Account.locale,
    Account.consents,
    Account.notification_switches,
    Account.manner_score,
    Account.review_count,
    Account.sales,
    Account.purchases,
    Account.created_at,
)
_OWN_ACCOUNT = select(*_OWN).where(Account.id == bindparam("id"), live(Account))

# Read for every page, so it is written by hand.
_CARDS = """
SELECT {columns} FROM accounts_account
WHERE deleted_at IS NULL AND id {among}
"""
_CARD = "id, handle, display_name, avatar, manner_score"
_CARDS_ON_SQLITE = _CARDS.format(columns=_CARD, among="IN (SELECT value FROM json_each($1))")
_CARDS_ON_POSTGRESQL = _CARDS.format(columns=_CARD, among="= ANY($1)")
_AS_JSON_ON_SQLITE = (
    "json_group_array(json_array(id, handle, display_name, json(avatar), manner_score))"
)
_AS_JSON_ON_POSTGRESQL = f"json_agg(json_build_array({_CARD}))::text"


class CardRow(NamedTuple):
    """The card columns of an account."""

    id: UUID
    handle: str
    display_name: str
    avatar: dict[str, Any] | None
    manner_score: float


async def insert_account(work: UnitOfWork, values: dict[str, Any]) -> None:
    """A new account; a handle that is taken loses the unique race."""
    await work.execute(insert(Account).values(**values, created_at=work.now, updated_at=work.now))


async def handle_taken(work: UnitOfWork, handle: str) -> bool:
    """Whether an account has this handle, deleted ones included."""
    return bool(await work.scalar(select(exists().where(Account.handle == handle))))


async def credentials_of_handle(work: UnitOfWork, handle: str) -> Row[Any] | None:
    """``id`` and ``password_hash`` of the live account with this handle."""
    return await work.first(
        select(Account.id, Account.password_hash).where(Account.handle == handle, live(Account))
    )


async def password_hash(work: UnitOfWork, account_id: UUID) -> str | None:
    """The stored hash of a live account."""
    found: str | None = await work.scalar(
        select(Account.password_hash).where(Account.id == account_id, live(Account))
    )
    return found


async def replace_password(
    work: UnitOfWork, account_id: UUID, old_hash: str, new_hash: str
) -> bool:
    """Whether the hash was still the old one, and now is the new one."""
    return await _update_account(
        work, account_id, {"password_hash": new_hash}, Account.password_hash == old_hash
    )


async def own_account(work: UnitOfWork, account_id: UUID) -> Row[Any] | None:
    """Everything an account sees of itself."""
    return await work.first(_OWN_ACCOUNT, {"id": account_id})


async def lock_account(work: UnitOfWork, account_id: UUID) -> bool:
    """Hold the row of a live account until the commit; whether there is one.

    Rows that only refer to the account can be written meanwhile.
    """
    statement = select(Account.id).where(Account.id == account_id, live(Account))
    return await work.first(statement.with_for_update(key_share=True)) is not None


async def update_account(work: UnitOfWork, account_id: UUID, values: dict[str, Any]) -> bool:
    """Set columns of a live account; whether there was one."""
    return await _update_account(work, account_id, values)


async def set_manner(work: UnitOfWork, account_id: UUID, score: float, review_count: int) -> bool:
    """Keep a live account's score and the number of its reviews; whether either is another one."""
    values = {"manner_score": score, "review_count": review_count}
    other = or_(Account.manner_score != score, Account.review_count != review_count)
    return await _update_account(work, account_id, values, other)


async def erase_account(
    work: UnitOfWork, account_id: UUID, values: dict[str, Any], deleted_by: datetime
) -> bool:
    """Overwrite the personal columns of an account deleted at ``deleted_by`` or before."""
    hit = await work.changed(
        update(Account)
        .where(Account.id == account_id, Account.deleted_at <= deleted_by)
        .values(updated_at=work.now, **values)
    )
    return hit == 1


async def profile(work: UnitOfWork, account_id: UUID, viewer_id: UUID) -> Row[Any] | None:
    """The public columns, whether the viewer blocks or follows, deleted accounts included."""
    blocked = exists().where(
        Block.account_id == viewer_id, Block.blocked_id == account_id, live(Block)
    )
    following = exists().where(
        Follow.account_id == viewer_id, Follow.followed_id == account_id, live(Follow)
    )
    return await work.first(
        select(
            *_OWN,
            Account.no_shows,
            Account.deleted_at,
            blocked.label("blocked"),
            following.label("following"),
        ).where(Account.id == account_id)
    )


async def cards(work: UnitOfWork, ids: Iterable[UUID]) -> list[CardRow]:
    """The card columns of the live ones among these accounts."""
    wanted = list(set(ids))
    if not work.is_sqlite:
        rows = await work.by_hand(_CARDS_ON_POSTGRESQL, wanted)
        return [CardRow._make(row) for row in rows]
    return [
        CardRow(stored_id(id_), handle, name, avatar and json.loads(avatar), score)
        for id_, handle, name, avatar, score in await work.by_hand(_CARDS_ON_SQLITE, wanted)
    ]


def cards_subquery(ids: str, *, is_sqlite: bool) -> str:
    """What :func:`cards` reads, as a part of another hand-written statement and one text, which
    :func:`cards_in` understands. ``ids`` is a subquery of that statement.
    """
    columns = _AS_JSON_ON_SQLITE if is_sqlite else _AS_JSON_ON_POSTGRESQL
    return f"({_CARDS.format(columns=columns, among=f'IN ({ids})')})"


def cards_in(text: str | None) -> list[CardRow]:
    """The rows that :func:`cards_subquery` has read."""
    rows = json.loads(text) if text else ()
    return [CardRow(UUID(id_), *columns) for id_, *columns in rows]


async def notification_switches(
    work: UnitOfWork, ids: Iterable[UUID]
) -> dict[UUID, dict[str, bool]]:
    """What the live ones among these accounts have switched on or off."""
    rows = await work.rows(
        select(Account.id, Account.notification_switches).where(
            Account.id.in_(list(ids)), live(Account)
        )
    )
    return {row.id: row.notification_switches for row in rows}


async def standing(work: UnitOfWork, account_id: UUID) -> Row[Any] | None:
    """What rules ask about an account, deleted or not."""
    return await work.first(
        select(
            Account.created_at,
            Account.sales,
            Account.purchases,
            Account.suspended_until,
            Account.deleted_at,
        ).where(Account.id == account_id)
    )


async def add_to_counter(work: UnitOfWork, account_id: UUID, counter: str) -> None:
    """One more in one of the counters of an account, deleted or not."""
    column = getattr(Account, counter)
    await work.execute(
        update(Account)
        .where(Account.id == account_id)
        .values({counter: column + 1, "updated_at": work.now})
    )


async def _update_account(
    work: UnitOfWork, account_id: UUID, values: dict[str, Any], *conditions: Any
) -> bool:
    hit = await work.changed(
        update(Account)
        .where(Account.id == account_id, live(Account), *conditions)
        .values(updated_at=work.now, **values)
    )
    return hit == 1
