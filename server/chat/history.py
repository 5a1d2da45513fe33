"""Pages of history: a constant number of statements, whatever a page holds or how deep it is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from server.accounts import api as accounts
from server.chat import repository, views
from server.chat.repository import LoggedMessage
from server.platform.errors import Invalid, NotFound
from server.platform.unit_of_work import UnitOfWork
from shared_models.chat import Message

WirePage = dict[str, Any]
"""A :class:`~shared_models.chat.MessagePage`, ready to be encoded."""


async def page(
    work: UnitOfWork,
    room_id: UUID,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    limit: int,
) -> WirePage:
    """Messages below ``before``, above ``after`` or about ``around``; the last ones without any.

    Two statements: the messages, scoped to the actor; and the people in them. An empty page asks
    instead whether the room is the actor's at all.
    """
    if sum(bound is not None for bound in (before, after, around)) > 1:
        raise Invalid("one_bound", "Use one of before, after and around.")
    at_least = None
    if after is not None:
        at_least = after + 1
    elif around is not None:
        at_least = max(1, around - limit // 2)
    viewer_id = work.actor.account_id
    rows = await repository.history(
        work, room_id, viewer_id, at_least=at_least, below=before, limit=limit
    )
    if not rows:
        return await _empty_page(work, room_id, at_least=at_least, below=before)
    return await _full_page(work, rows, room_id, viewer_id)


async def find_message(work: UnitOfWork, message_id: UUID, account_id: UUID) -> Message | None:
    """A message that the account can read, as it sees it; None when there is none."""
    row = await repository.message_by_id(work, message_id, account_id)
    return None if row is None else views.message_of(row, account_id)


async def _full_page(
    work: UnitOfWork, rows: Sequence[LoggedMessage], room_id: UUID, viewer_id: UUID
) -> WirePage:
    mentioned = {row.sender_id for row in rows} | {row.actor_id for row in rows}
    people = await accounts.cards(work, [UUID(id_) for id_ in mentioned if id_ is not None])
    first, last = rows[0], rows[-1]
    return {
        "items": [views.wire_message(row, room_id, viewer_id) for row in rows],
        "first_seq": first.seq,
        "last_seq": last.seq,
        "has_more_before": first.seq > max(1, first.cleared_before_seq),
        "has_more_after": last.seq < first.room_last_seq,
        "profiles": {str(id_): card for id_, card in people.items()},
    }


async def _empty_page(
    work: UnitOfWork, room_id: UUID, *, at_least: int | None, below: int | None
) -> WirePage:
    extent = await repository.extent(work, room_id, work.actor.account_id)
    if extent is None:
        raise NotFound("chatroom")
    last_seq, cleared_before_seq = extent
    readable = last_seq >= max(1, cleared_before_seq)
    return {
        "items": [],
        "first_seq": None,
        "last_seq": None,
        "has_more_before": readable and at_least is not None,
        "has_more_after": readable and below is not None,
        "profiles": {},
    }
