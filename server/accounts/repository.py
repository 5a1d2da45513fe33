"""Every SQL statement of accounts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from server.accounts.tables import Account, Block, Follow, Session, Ticket
from server.platform.database import live
from server.platform.pages import after_position
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
_CARD = (
    Account.id,
    Account.handle,
    Account.display_name,
    Account.avatar,
    Account.manner_score,
)
_SESSION = (
    Session.id,
    Session.device,
    Session.created_at,
    Session.last_seen_at,
)

# Asked with every request or page, so they are built once.
_SESSION_OF_TOKEN = (
    select(Session.id, Session.account_id)
    .join(Account, Account.id == Session.account_id)
    .where(Session.token_hash == bindparam("token_hash"), live(Session), live(Account))
)
_BLOCKED_WITH = union_all(
    select(Block.blocked_id).where(Block.account_id == bindparam("account_id"), live(Block)),
    select(Block.account_id).where(Block.blocked_id == bindparam("account_id"), live(Block)),
)

# The hottest reads are built once: building a statement costs more than running it.
_ACCOUNTS: Any = Account.__table__
_SESSIONS: Any = Session.__table__
_BLOCKS: Any = Block.__table__
_CARDS = select(*(_ACCOUNTS.c[column.key] for column in _CARD)).where(
    _ACCOUNTS.c.id.in_(bindparam("ids", expanding=True)), _ACCOUNTS.c.deleted_at.is_(None)
)
_SESSION_OF_TOKEN = (
    select(_SESSIONS.c.id, _SESSIONS.c.account_id)
    .join_from(_SESSIONS, _ACCOUNTS, _ACCOUNTS.c.id == _SESSIONS.c.account_id)
    .where(
        _SESSIONS.c.token_hash == bindparam("token_hash"),
        _SESSIONS.c.deleted_at.is_(None),
        _ACCOUNTS.c.deleted_at.is_(None),
    )
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


async def insert_account(work: UnitOfWork, values: dict[str, Any]) -> None:
    """A new account; a handle that is taken loses the unique race."""
    await work.execute(insert(Account).values(**values, **_born(work)))


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
    return await work.first(select(*_OWN).where(Account.id == account_id, live(Account)))


async def lock_account(work: UnitOfWork, account_id: UUID) -> bool:
    """Hold the row of a live account until the commit; whether there is one.

    Rows that only refer to the account can be written meanwhile.
    """
    statement = select(Account.id).where(Account.id == account_id, live(Account))
    return await work.first(statement.with_for_update(key_share=True)) is not None


async def update_account(work: UnitOfWork, account_id: UUID, values: dict[str, Any]) -> bool:
    """Set columns of a live account; whether there was one."""
    return await _update_account(work, account_id, values)


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


async def cards(work: UnitOfWork, ids: Iterable[UUID]) -> Sequence[Row[Any]]:
    """The card columns of the live ones among these accounts."""
    return await work.rows(_CARDS, {"ids": list(set(ids))})


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


async def insert_session(
    work: UnitOfWork, account_id: UUID, token_hash: str, device: str | None
) -> Row[Any]:
    """A new session."""
    inserted = await work.execute(
        insert(Session)
        .values(
            id=work.new_id(),
            account_id=account_id,
            token_hash=token_hash,
            device=device,
            last_seen_at=work.now,
            **_born(work),
        )
        .returning(*_SESSION)
    )
    return inserted.one()


async def session_of_token(work: UnitOfWork, token_hash: str) -> Row[Any] | None:
    """``id`` and ``account_id`` of the live session of a live account."""
    return await work.first(_SESSION_OF_TOKEN, {"token_hash": token_hash})


async def live_sessions(work: UnitOfWork, session_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the sessions that are live, of live accounts."""
    rows = await work.rows(
        select(Session.id)
        .join(Account, Account.id == Session.account_id)
        .where(Session.id.in_(set(session_ids)), live(Session), live(Account))
    )
    return {row.id for row in rows}


async def sessions(
    work: UnitOfWork, account_id: UUID, position: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Live sessions, newest first."""
    statement = select(*_SESSION).where(Session.account_id == account_id, live(Session))
    columns = (Session.created_at, Session.id)
    return await work.rows(
        after_position(statement, columns, position, descending=True).limit(limit)
    )


async def end_sessions(
    work: UnitOfWork,
    account_id: UUID,
    *,
    only: UUID | None = None,
    all_but: UUID | None = None,
) -> Sequence[UUID]:
    """End live sessions of the account; the ids of those that ended."""
    statement = update(Session).where(Session.account_id == account_id, live(Session))
    if only is not None:
        statement = statement.where(Session.id == only)
    if all_but is not None:
        statement = statement.where(Session.id != all_but)
    ended = await work.execute(
        statement.values(deleted_at=work.now, updated_at=work.now).returning(Session.id)
    )
    return ended.scalars().all()


async def touch_session(work: UnitOfWork, session_id: UUID) -> None:
    """The device was seen now."""
    await work.execute(
        update(Session)
        .where(Session.id == session_id)
        .values(last_seen_at=work.now, updated_at=work.now)
    )


async def insert_ticket(work: UnitOfWork, ticket_hash: str, expires_at: datetime) -> None:
    """A ticket for the acting session."""
    await work.execute(
        insert(Ticket).values(
            id=work.new_id(),
            ticket_hash=ticket_hash,
            account_id=work.actor.account_id,
            session_id=work.actor.session_id,
            expires_at=expires_at,
            **_born(work),
        )
    )


async def take_ticket(work: UnitOfWork, ticket_hash: str) -> Row[Any] | None:
    """Use a ticket up: its ``account_id`` and ``session_id``, if it was still good."""
    alive = exists().where(
        Session.id == Ticket.session_id,
        live(Session),
        Account.id == Session.account_id,
        live(Account),
    )
    taken = await work.execute(
        update(Ticket)
        .where(
            Ticket.ticket_hash == ticket_hash,
            live(Ticket),
            Ticket.expires_at > work.now,
            alive,
        )
        .values(deleted_at=work.now, updated_at=work.now)
        .returning(Ticket.account_id, Ticket.session_id)
    )
    return taken.first()


async def drop_tickets(work: UnitOfWork, expired_by: datetime) -> int:
    """Delete the rows of tickets that expired long ago; how many there were."""
    return await work.changed(delete(Ticket).where(Ticket.expires_at < expired_by))


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


async def set_block(work: UnitOfWork, account_id: UUID, blocked_id: UUID, *, on: bool) -> bool:
    """Make the block be there or not; whether that changed anything."""
    pair = {"account_id": account_id, "blocked_id": blocked_id}
    return await _set_pair(work, Block, pair, on=on)


async def set_follow(work: UnitOfWork, account_id: UUID, followed_id: UUID, *, on: bool) -> bool:
    """Make the following be there or not; whether that changed anything."""
    pair = {"account_id": account_id, "followed_id": followed_id}
    return await _set_pair(work, Follow, pair, on=on)


async def follows_count(work: UnitOfWork, account_id: UUID) -> int:
    """How many accounts it follows."""
    count: int = await work.scalar(
        select(func.count()).where(Follow.account_id == account_id, live(Follow))
    )
    return count


async def follower_ids(work: UnitOfWork, followed_id: UUID) -> list[UUID]:
    """Who follows the account."""
    rows = await work.rows(
        select(Follow.account_id).where(Follow.followed_id == followed_id, live(Follow))
    )
    return [row.account_id for row in rows]


async def _set_pair(
    work: UnitOfWork,
    table: type[Block] | type[Follow],
    pair: dict[str, UUID],
    *,
    on: bool,
) -> bool:
    this_pair = [getattr(table, column) == value for column, value in pair.items()]
    other_way = table.deleted_at.is_not(None) if on else live(table)
    gone_at = None if on else work.now
    turned = await work.changed(
        update(table).where(*this_pair, other_way).values(deleted_at=gone_at, updated_at=work.now)
    )
    if turned or not on:
        return bool(turned)
    if await work.scalar(select(exists().where(*this_pair))):
        return False
    await work.execute(insert(table).values(**pair, **_born(work)))
    return True


async def _update_account(
    work: UnitOfWork, account_id: UUID, values: dict[str, Any], *conditions: Any
) -> bool:
    hit = await work.changed(
        update(Account)
        .where(Account.id == account_id, live(Account), *conditions)
        .values(updated_at=work.now, **values)
    )
    return hit == 1


def _born(work: UnitOfWork) -> dict[str, datetime]:
    return {"created_at": work.now, "updated_at": work.now}
