"""Stretches of the message log, by one hand-written statement a database.

This is the busiest read of all: what SQLAlchemy adds to a statement costs more than the statement,
and every id and moment that is made an object becomes text again at once.
"""

import json
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from server.platform.database import moment
from server.platform.unit_of_work import UnitOfWork
from shared_models.base import format_time


class LoggedMessage(NamedTuple):
    """A message with ids and moments as they are on the wire.

    ``room_last_seq`` and ``cleared_before_seq`` say how far the room's history reaches for its
    reader.
    """

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
    room_last_seq: int
    cleared_before_seq: int


_COLUMNS = """message.seq, message.id, message.cid, message.sender_id, message.actor_id,
    message.kind, message.text, message.photos, message.system, message.warning,
    message.created_at, message.deleted_at IS NOT NULL"""

# One bound a side, of a member known by then: SQLite keeps the order of a cross join, and given two
# lower bounds begins to read at the smaller.
_ON_SQLITE = """
SELECT {columns}, room.last_seq, member.cleared_before_seq
FROM chat_member AS member CROSS JOIN chat_room AS room CROSS JOIN chat_message AS message
WHERE member.room_id = $1 AND member.account_id = $2 AND room.id = $1 AND message.room_id = $1
    AND {bounds}
ORDER BY message.seq {order} LIMIT $4
"""
_ON_POSTGRESQL = """
SELECT page.*, room.last_seq, member.cleared_before_seq
FROM chat_member AS member JOIN chat_room AS room ON room.id = member.room_id
CROSS JOIN LATERAL (
    SELECT {columns} FROM chat_message AS message
    WHERE message.room_id = member.room_id AND {bounds}
    ORDER BY message.seq {order} LIMIT $4
) AS page
WHERE member.room_id = $1 AND member.account_id = $2
ORDER BY page.seq {order}
"""
_AT_LEAST = {
    "columns": _COLUMNS,
    "bounds": """message.seq >=
        CASE WHEN member.cleared_before_seq > $3 THEN member.cleared_before_seq ELSE $3 END""",
    "order": "ASC",
}
_BELOW = {
    "columns": _COLUMNS,
    "bounds": "message.seq >= member.cleared_before_seq AND message.seq < $3",
    "order": "DESC",
}
_SQLITE = _ON_SQLITE.format(**_AT_LEAST), _ON_SQLITE.format(**_BELOW)
_POSTGRESQL = _ON_POSTGRESQL.format(**_AT_LEAST), _ON_POSTGRESQL.format(**_BELOW)
_ABOVE_ALL = 2**62


async def history(
    work: UnitOfWork,
    room_id: UUID,
    account_id: UUID,
    *,
    at_least: int | None = None,
    below: int | None = None,
    limit: int,
) -> list[LoggedMessage]:
    """Up to ``limit`` messages by ascending ``seq``: the first ones from ``at_least`` on, or the
    last ones below ``below``, or the very last ones.
    """
    statements, logged = (
        (_SQLITE, _logged_on_sqlite) if work.is_sqlite else (_POSTGRESQL, _logged_on_postgresql)
    )
    if at_least is not None:
        statement, bound = statements[0], at_least
    else:
        statement, bound = statements[1], _ABOVE_ALL if below is None else below
    rows = await work.by_hand(statement, room_id, account_id, bound, limit)
    page = [logged(*row) for row in rows]
    return page if at_least is not None else page[::-1]


def _logged_on_sqlite(
    seq: int,
    id_: str,
    cid: str | None,
    sender_id: str | None,
    actor_id: str | None,
    *rest: Any,
) -> LoggedMessage:
    kind, text, photos, system, warning, created_at, deleted, *reach = rest
    return LoggedMessage(
        seq,
        _dashed(id_),
        cid and _dashed(cid),
        sender_id and _dashed(sender_id),
        actor_id and _dashed(actor_id),
        kind,
        text,
        [] if photos == "[]" else json.loads(photos),
        system and json.loads(system),
        warning,
        format_time(moment(created_at)),
        bool(deleted),
        *reach,
    )


def _dashed(digits: str) -> str:
    parts = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]
    return "-".join(parts)


def _logged_on_postgresql(
    seq: int,
    id_: UUID,
    cid: UUID | None,
    sender_id: UUID | None,
    actor_id: UUID | None,
    *rest: Any,
) -> LoggedMessage:
    kind, text, photos, system, warning, created_at, *others = rest
    assert isinstance(created_at, datetime)
    return LoggedMessage(
        seq,
        str(id_),
        _text(cid),
        _text(sender_id),
        _text(actor_id),
        kind,
        text,
        photos,
        system,
        warning,
        format_time(created_at),
        *others,
    )


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)
