"""Pages of history: a constant number of statements, whatever a page holds or how deep it is."""

from typing import Any
from uuid import UUID

from server.accounts import api as accounts
from server.chat import repository, views
from server.chat.repository import Stretch
from server.platform.errors import Invalid, NotFound
from server.platform.unit_of_work import UnitOfWork
from shared_models.chat import Message

WirePage = dict[str, Any]
"""A :class:`~shared_models.chat.MessagePage`, ready to be encoded."""


async def page(
    work: UnitOfWork,
    room_id: UUID,
    *,
    token: str | None = None,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    limit: int,
) -> WirePage:
    """Messages below ``before``, above ``after`` or about ``around``; the last ones without any.

    One statement: the messages, scoped to who reads, and the people in them. Who reads is the
    actor, or where nobody acts yet whoever holds the ``token``. An empty page asks instead who that
    is, and whether the room is theirs at all.
    """
    if sum(bound is not None for bound in (before, after, around)) > 1:
        raise Invalid("one_bound", "Use one of before, after and around.")
    at_least = None
    if after is not None:
        at_least = after + 1
    elif around is not None:
        at_least = max(1, around - limit // 2)
    reader = work.actor.account_id if token is None else work.context.secret.token_hash(token)
    found = await repository.history(
        work, room_id, reader, at_least=at_least, below=before, limit=limit
    )
    if found is not None:
        return _full_page(found, room_id)
    actor = work.actor if token is None else await accounts.authenticate(work, token)
    return await _empty_page(work, room_id, actor.account_id, at_least=at_least, below=before)


async def find_message(work: UnitOfWork, message_id: UUID, account_id: UUID) -> Message | None:
    """A message that the account can read, as it sees it; None when there is none."""
    row = await repository.message_by_id(work, message_id, account_id)
    return None if row is None else views.message_of(row, account_id)


def _full_page(found: Stretch, room_id: UUID) -> WirePage:
    rows = found.messages
    mentioned = {row.sender_id for row in rows} | {row.actor_id for row in rows}
    people = accounts.cards_in(found.cards, [UUID(id_) for id_ in mentioned if id_ is not None])
    first_seq, last_seq = rows[0].seq, rows[-1].seq
    return {
        "items": [views.wire_message(row, room_id, found.reader_id) for row in rows],
        "first_seq": first_seq,
        "last_seq": last_seq,
        "has_more_before": first_seq > max(1, found.cleared_before_seq),
        "has_more_after": last_seq < found.room_last_seq,
        "profiles": {str(id_): card for id_, card in people.items()},
    }


async def _empty_page(
    work: UnitOfWork, room_id: UUID, reader_id: UUID, *, at_least: int | None, below: int | None
) -> WirePage:
    extent = await repository.extent(work, room_id, reader_id)
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
