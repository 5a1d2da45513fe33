"""Signed-in devices, and tickets for their sockets."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, exists, insert, select, update

from server.accounts.tables import Account, Session, Ticket
from server.platform.columns import live, slices, stored_id, stored_moment
from server.platform.context import Actor
from server.platform.pages import after_position
from server.platform.unit_of_work import UnitOfWork

_SESSION = (
    Session.id,
    Session.device,
    Session.created_at,
    Session.last_seen_at,
)

# Asked with every request, so it is written by hand.
_OF_TOKEN = """
FROM accounts_session AS session
JOIN accounts_account AS account ON account.id = session.account_id
WHERE session.token_hash = {token_hash} AND session.deleted_at IS NULL
    AND account.deleted_at IS NULL
"""
_SESSION_OF_TOKEN = (
    "SELECT session.id, session.account_id, coalesce(session.wrote_at, session.created_at)"
    + _OF_TOKEN.format(token_hash="$1")
)

# Asked by every node every few seconds, so it is built once.
_LIVE_SESSIONS = (
    select(Session.id)
    .join(Account, Account.id == Session.account_id)
    .where(Session.id.in_(bindparam("ids", expanding=True)), live(Session), live(Account))
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
            created_at=work.now,
            updated_at=work.now,
        )
        .returning(*_SESSION)
    )
    return inserted.one()


async def session_of_token(work: UnitOfWork, token_hash: str) -> Actor | None:
    """Who holds the token: a live session of a live account."""
    rows = await work.by_hand(_SESSION_OF_TOKEN, token_hash)
    if not rows:
        return None
    session_id, account_id, wrote_at = rows[0]
    return Actor(stored_id(account_id), stored_id(session_id), stored_moment(wrote_at))


def holder_subquery(token_hash: str) -> str:
    """The account of :func:`session_of_token`, as a part of another hand-written statement.

    ``token_hash`` is the name of its value there, as ``$2``.
    """
    return f"(SELECT session.account_id{_OF_TOKEN.format(token_hash=token_hash)})"


async def note_write(work: UnitOfWork) -> None:
    """Move the moment at which the actor's session last wrote."""
    statement = update(Session).where(Session.id == work.actor.session_id)
    await work.execute(statement.values(wrote_at=work.now))


async def live_sessions(work: UnitOfWork, session_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the sessions that are live, of live accounts."""
    found = set()
    for ids in slices(set(session_ids)):
        rows = await work.rows(_LIVE_SESSIONS, {"ids": ids})
        found |= {row.id for row in rows}
    return found


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


async def clear_devices(work: UnitOfWork, account_id: UUID) -> None:
    """Forget how the account's devices were called, long ended ones included."""
    await work.execute(
        update(Session)
        .where(Session.account_id == account_id)
        .values(device=None, updated_at=work.now)
    )


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
            created_at=work.now,
            updated_at=work.now,
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
