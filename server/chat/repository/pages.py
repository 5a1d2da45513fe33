"""Stretches of the message log, by one hand-written statement a database.

This is the busiest read of all: each question more is a round trip, what SQLAlchemy adds to a
statement costs more than the statement, and every id and moment that is made an object becomes text
again at once. So who reads and who is named in the page are parts of its statement, in the words of
``accounts``.
"""

import json
from typing import Any, NamedTuple
from uuid import UUID

from server.accounts.api import cards_subquery, holder_subquery
from server.platform.columns import moment, stored_id
from server.platform.unit_of_work import UnitOfWork
from shared_models.base import format_time
from shared_models.bounds import PAGE_MAX


class LoggedMessage(NamedTuple):
    """A message with ids and moments as they are on the wire."""

    seq: int
    id: str
    cid: str | None
    sender_id: str | None
    actor_id: str | None
    kind: str
    text: str
    photos: list[Any]
    system: dict[str, Any] | None
    warning: str | None
    created_at: str
    deleted: bool


class Stretch(NamedTuple):
    """At least one message, by ascending ``seq``.

    ``room_last_seq`` and ``cleared_before_seq`` say how far the room's history reaches for its
    reader. ``cards`` is who sent or caused the messages, for :func:`~server.accounts.api.cards_in`.
    """

    messages: list[LoggedMessage]
    room_last_seq: int
    cleared_before_seq: int
    reader_id: UUID
    cards: str | None


# As they are on the wire, where a database can make them so for less than it costs here.
_COLUMNS_ON_SQLITE = """seq, id, cid, sender_id, actor_id, kind, text, photos, system, warning,
    created_at, deleted"""
_COLUMNS_ON_POSTGRESQL = """seq, CAST(id AS text), CAST(cid AS text), CAST(sender_id AS text),
    CAST(actor_id AS text), kind, text, CAST(photos AS text), CAST(system AS text), warning,
    to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), deleted"""
_STORED = """message.seq, message.id, message.cid, message.sender_id, message.actor_id,
    message.kind, message.text, message.photos, message.system, message.warning,
    message.created_at, message.deleted_at IS NOT NULL AS deleted"""
_REACH = "room.last_seq, member.cleared_before_seq, member.account_id"

_WITH_CARDS = """
WITH page AS MATERIALIZED ({page})
SELECT {columns}, last_seq, cleared_before_seq, account_id,
    CASE seq WHEN (SELECT min(seq) FROM page) THEN {cards} END
FROM page ORDER BY seq
"""
_NAMED = "SELECT sender_id FROM page UNION SELECT actor_id FROM page"

# One bound a side, of a member known by then: SQLite keeps the order of a cross join, and given two
# lower bounds begins to read at the smaller.
_ON_SQLITE = """
SELECT {stored}, {reach}
FROM chat_member AS member CROSS JOIN chat_room AS room CROSS JOIN chat_message AS message
WHERE member.room_id = $1 AND member.account_id = {reader}
    AND room.id = $1 AND message.room_id = $1 AND {bounds}
ORDER BY message.seq {order} LIMIT $4
"""
# PostgreSQL keeps a plan only if it expects it to cost no more than one for the values at hand.
# Of a limit that it does not know it expects a tenth of all there are: so there are never many.
_ON_POSTGRESQL = """
SELECT page.*, {reach}
FROM chat_member AS member JOIN chat_room AS room ON room.id = member.room_id
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT {stored} FROM chat_message AS message
        WHERE message.room_id = member.room_id AND {bounds}
        ORDER BY message.seq {order} LIMIT {most}
    ) AS most ORDER BY seq {order} LIMIT $4
) AS page
WHERE member.room_id = $1 AND member.account_id = {reader}
"""
_AT_LEAST = {
    "bounds": """message.seq >=
        CASE WHEN member.cleared_before_seq > $3 THEN member.cleared_before_seq ELSE $3 END""",
    "order": "ASC",
}
_BELOW = {
    "bounds": "message.seq >= member.cleared_before_seq AND message.seq < $3",
    "order": "DESC",
}
_ABOVE_ALL = 2**62


def _statement(side: dict[str, str], reader: str, *, is_sqlite: bool) -> str:
    page, columns = (
        (_ON_SQLITE, _COLUMNS_ON_SQLITE) if is_sqlite else (_ON_POSTGRESQL, _COLUMNS_ON_POSTGRESQL)
    )
    words = {"stored": _STORED, "reach": _REACH, "most": PAGE_MAX, "reader": reader, **side}
    cards = cards_subquery(_NAMED, is_sqlite=is_sqlite)
    return _WITH_CARDS.format(page=page.format(**words), columns=columns, cards=cards)


_STATEMENTS = {
    (is_sqlite, by_token, upwards): _statement(side, reader, is_sqlite=is_sqlite)
    for is_sqlite in (False, True)
    for by_token, reader in ((False, "$2"), (True, holder_subquery("$2")))
    for upwards, side in ((False, _BELOW), (True, _AT_LEAST))
}


async def history(
    work: UnitOfWork,
    room_id: UUID,
    reader: UUID | str,
    *,
    at_least: int | None = None,
    below: int | None = None,
    limit: int,
) -> Stretch | None:
    """Up to ``limit`` messages, :data:`PAGE_MAX` at most: the first ones from ``at_least`` on, or
    the last ones below ``below``, or the very last ones. None where the reader has none.

    ``reader`` is an account, or whoever holds the token with this hash.
    """
    statement = _STATEMENTS[work.is_sqlite, isinstance(reader, str), at_least is not None]
    last = _ABOVE_ALL if below is None else below
    bound = last if at_least is None else at_least
    rows = await work.by_hand(statement, room_id, reader, bound, limit)
    if not rows:
        return None
    logged = _logged_on_sqlite if work.is_sqlite else _logged_on_postgresql
    *_, room_last_seq, cleared_before_seq, reader_id, cards = rows[0]
    messages = [logged(*row) for row in rows]
    return Stretch(messages, room_last_seq, cleared_before_seq, stored_id(reader_id), cards)


def _logged_on_sqlite(
    seq: int,
    id_: str,
    cid: str | None,
    sender_id: str | None,
    actor_id: str | None,
    *rest: Any,
) -> LoggedMessage:
    kind, text, photos, system, warning, created_at, deleted, *_reach = rest
    return LoggedMessage(
        seq,
        _dashed(id_),
        cid and _dashed(cid),
        sender_id and _dashed(sender_id),
        actor_id and _dashed(actor_id),
        kind,
        text,
        _photos(photos),
        system and json.loads(system),
        warning,
        format_time(moment(created_at)),
        bool(deleted),
    )


def _dashed(digits: str) -> str:
    parts = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]
    return "-".join(parts)


def _logged_on_postgresql(
    seq: int,
    id_: str,
    cid: str | None,
    sender_id: str | None,
    actor_id: str | None,
    *rest: Any,
) -> LoggedMessage:
    kind, text, photos, system, warning, created_at, deleted, *_reach = rest
    return LoggedMessage(
        seq,
        id_,
        cid,
        sender_id,
        actor_id,
        kind,
        text,
        _photos(photos),
        system and json.loads(system),
        warning,
        created_at,
        deleted,
    )


def _photos(text: str) -> list[Any]:
    photos: list[Any] = [] if text == "[]" else json.loads(text)
    return photos
