"""Who a token or a ticket belongs to, and an account's signed-in devices."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from server.accounts import repository
from server.accounts.events import SessionEnded
from server.platform.context import Actor
from server.platform.errors import NotFound, Unauthenticated
from server.platform.pages import read_page
from server.platform.secrets import new_token
from server.platform.unit_of_work import UnitOfWork
from shared_models.accounts import Session
from shared_models.base import Page
from shared_models.sync import Ticket

_TICKET_LIFE = timedelta(seconds=30)
_TICKET_KEPT = timedelta(hours=1)
_PAGE_SCOPE = "sessions"


async def authenticate(work: UnitOfWork, token: str) -> Actor:
    """Whose token it is; :class:`Unauthenticated` for a dead one."""
    found = await repository.session_of_token(work, work.context.secret.token_hash(token))
    if found is None:
        raise Unauthenticated("The token is not valid (any more). Sign in again.")
    return found


async def note_write(work: UnitOfWork) -> None:
    """Remember that the actor's session wrote, for its next reads (decision 19)."""
    await repository.note_write(work)


async def start_session(
    work: UnitOfWork, account_id: UUID, device: str | None
) -> tuple[str, Session]:
    """Sign a device in: the token, shown this once, and its session."""
    token = new_token()
    token_hash = work.context.secret.token_hash(token)
    row = await repository.insert_session(work, account_id, token_hash, device)
    return token, _session(row, current=True)


async def session_page(work: UnitOfWork, limit: int, cursor: str | None) -> Page[Session]:
    """The account's signed-in devices, newest first."""
    rows, next_cursor = await read_page(
        partial(repository.sessions, work, work.actor.account_id),
        limit,
        cursor,
        secret=work.context.secret,
        scope=_PAGE_SCOPE,
        key=lambda row: (row.created_at, row.id),
    )
    items = [_session(row, current=row.id == work.actor.session_id) for row in rows]
    return Page[Session](items=items, next_cursor=next_cursor)


async def end_session(work: UnitOfWork, session_id: UUID) -> None:
    """Sign one of the account's devices out; 404 when it is not, or no longer, one."""
    account_id = work.actor.account_id
    if not await repository.end_sessions(work, account_id, only=session_id):
        raise NotFound("session")
    work.announce(SessionEnded(account_id, session_id))


async def end_all_sessions(
    work: UnitOfWork, account_id: UUID, *, all_but: UUID | None = None
) -> None:
    """Sign every device out, but for one."""
    for session_id in await repository.end_sessions(work, account_id, all_but=all_but):
        work.announce(SessionEnded(account_id, session_id))


async def live_sessions(work: UnitOfWork, session_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the sessions that have not ended; for whoever holds their sockets."""
    return await repository.live_sessions(work, session_ids)


async def touch_session(work: UnitOfWork, session_id: UUID) -> None:
    """Note that a device was seen now; for whoever holds its socket."""
    await repository.touch_session(work, session_id)


async def create_ticket(work: UnitOfWork) -> Ticket:
    """A one-use ticket of 256 bits for the acting session's next socket; good for 30 s."""
    ticket, expires_at = new_token(), work.now + _TICKET_LIFE
    await repository.insert_ticket(
        work, work.context.secret.digest("ticket", ticket.encode()).hex(), expires_at
    )
    await repository.touch_session(work, work.actor.session_id)
    return Ticket(ticket=ticket, expires_at=expires_at)


async def redeem_ticket(work: UnitOfWork, ticket: str) -> Actor:
    """Use a ticket up; :class:`Unauthenticated` when it was used, is too old or never was."""
    ticket_hash = work.context.secret.digest("ticket", ticket.encode("utf-8", "replace"))
    row = await repository.take_ticket(work, ticket_hash.hex())
    if row is None:
        raise Unauthenticated("The ticket is not valid (any more).")
    return Actor(account_id=row.account_id, session_id=row.session_id)


async def drop_old_tickets(work: UnitOfWork) -> int:
    """Forget tickets that ran out an hour ago; how many there were."""
    return await repository.drop_tickets(work, work.now - _TICKET_KEPT)


def _session(row: Any, *, current: bool) -> Session:
    return Session(
        id=row.id,
        device=row.device,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        current=current,
    )
