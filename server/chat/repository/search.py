"""The search index of messages. The two databases differ in how terms are matched, and only here.

Every term is stored once for each side of the room, under a scope of its account, so that what
others have written costs a search nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Row,
    Select,
    String,
    and_,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from server.chat.ports import RoomFacts
from server.chat.repository.records import (
    MEMBER,
    MESSAGE,
    MESSAGE_COLUMNS,
    ROOM,
    StoredMessage,
)
from server.chat.tables import SearchDocument
from server.platform.analyser import fts5_match, index_terms, parse_query, tsquery
from server.platform.columns import microseconds
from server.platform.unit_of_work import UnitOfWork

_DOCUMENT: Any = SearchDocument.__table__
_A_MOMENT = 1024
"""How many ids there are for the messages of one microsecond."""
_A_WHILE = 1000 * _A_MOMENT
"""Where the clock was set back, many messages of a room are of one moment: they go on into the
next ones.
"""
_ABOVE_ALL = 2**63 - 1

_FTS5 = table(
    "chat_search_index",
    column("rowid", Integer),
    column("terms", String),
    column("chat_search_index", String),
)
_INDEXED = table(
    "chat_search_document",
    *(column(one.name, one.type) for one in _DOCUMENT.c),
    column("chat_search_index", TSVECTOR),
)


class Found(NamedTuple):
    """A message that was found, and its place among all that were."""

    place: int
    message: StoredMessage


def _scope(account_id: UUID) -> str:
    """Short, for it stands before every term; two accounts with the same one still find only what
    is in their own rooms.
    """
    return account_id.hex[-8:]


async def found_page(
    work: UnitOfWork,
    account_id: UUID,
    q: str,
    room_id: UUID | None,
    position: Sequence[Any] | None,
    limit: int,
) -> list[Found]:
    """Messages with all words of ``q``, newest first, that the account can read; below a place."""
    query = parse_query(q, _scope(account_id))
    if query.empty:
        return []
    words = fts5_match(query) if work.is_sqlite else tsquery(query)
    wanted: dict[str, Any] = {
        "account": account_id,
        "words": words,
        "below": position[0] if position else _ABOVE_ALL,
        "most": limit,
    }
    if room_id is not None:
        wanted["room"] = room_id
    statement = _statement(work.is_sqlite, room_id is not None)
    rows = await work.rows(statement, wanted)
    return [Found(row[0], StoredMessage._make(row[1:])) for row in rows]


@cache
def _statement(sqlite: bool, in_one_room: bool) -> Select[Any]:
    if sqlite:
        place, found = _FTS5.c.rowid, _matches_on_sqlite()
        document, matches = _DOCUMENT, _fts5_condition()
    else:
        found = document = _matches_on_postgresql()
        place, matches = document.c.id, None
    statement = (
        select(place, *MESSAGE_COLUMNS)
        .select_from(found)
        .join(MEMBER, MEMBER.c.room_id == document.c.room_id)
        .join(
            MESSAGE,
            and_(MESSAGE.c.room_id == document.c.room_id, MESSAGE.c.seq == document.c.seq),
        )
        .where(
            MEMBER.c.account_id == bindparam("account"),
            MESSAGE.c.seq >= MEMBER.c.cleared_before_seq,
            MESSAGE.c.deleted_at.is_(None),
        )
        .order_by(place.desc())
        .limit(bindparam("most", type_=Integer()))
    )
    if matches is not None:
        statement = statement.where(matches)
    if in_one_room:
        statement = statement.where(document.c.room_id == bindparam("room"))
    return statement


def _matches_on_sqlite() -> FromClause:
    # An expression, so that SQLite never asks the index about one message after another.
    return _FTS5.join(_DOCUMENT, _DOCUMENT.c.id == _FTS5.c.rowid + 0)


def _fts5_condition() -> ColumnElement[bool]:
    words = bindparam("words", type_=String())
    return and_(
        _FTS5.c.chat_search_index.bool_op("MATCH")(words),
        _FTS5.c.rowid < bindparam("below", type_=Integer()),
    )


def _matches_on_postgresql() -> Any:
    """By themselves, for the planner does not know how rare one account's words are and would
    rather read all messages, the newest first.
    """
    words = cast(bindparam("words", type_=String()), TSQUERY)
    below = bindparam("below", type_=_DOCUMENT.c.id.type)
    return (
        select(_INDEXED.c.id, _INDEXED.c.room_id, _INDEXED.c.seq)
        .where(_INDEXED.c.chat_search_index.bool_op("@@")(words), _INDEXED.c.id < below)
        .cte("found")
        .prefix_with("MATERIALIZED")
    )


class Unindexed(NamedTuple):
    """A message that is not in the index yet, and who can find it."""

    room_id: UUID
    seq: int
    text: str
    at: datetime
    seller_id: UUID
    buyer_id: UUID
    said: bool
    """Somebody wrote it, and it is not deleted."""


_BEHIND = (
    select(ROOM.c.id)
    .join(MEMBER, MEMBER.c.room_id == ROOM.c.id)
    .where(MEMBER.c.account_id == bindparam("account"), ROOM.c.last_seq > ROOM.c.indexed_seq)
    .order_by(ROOM.c.active_at.desc())
    .limit(bindparam("most", type_=Integer()))
)
_ROOMS_AFTER = (
    select(ROOM.c.id, (ROOM.c.last_seq > ROOM.c.indexed_seq).label("behind"))
    .where(ROOM.c.id > bindparam("after"))
    .order_by(ROOM.c.id)
    .limit(bindparam("most", type_=Integer()))
)
_UNINDEXED = (
    select(
        MESSAGE.c.room_id,
        MESSAGE.c.seq,
        MESSAGE.c.text,
        MESSAGE.c.created_at,
        ROOM.c.seller_id,
        ROOM.c.buyer_id,
        and_(MESSAGE.c.sender_id.is_not(None), MESSAGE.c.deleted_at.is_(None)),
    )
    .select_from(ROOM)
    .join(MESSAGE, and_(MESSAGE.c.room_id == ROOM.c.id, MESSAGE.c.seq > ROOM.c.indexed_seq))
    .where(ROOM.c.id.in_(bindparam("rooms", expanding=True)))
    .order_by(MESSAGE.c.room_id, MESSAGE.c.seq)
    .limit(bindparam("most", type_=Integer()))
    # Who deletes one of them waits, and then takes it out of the index.
    .with_for_update(key_share=True, of=MESSAGE)
)
_FIRST = bindparam("first", type_=_DOCUMENT.c.id.type)
_NEXT_ID = func.coalesce(
    select(func.max(_DOCUMENT.c.id) + 1)
    .where(_DOCUMENT.c.id >= _FIRST, _DOCUMENT.c.id < _FIRST + _A_WHILE)
    .scalar_subquery(),
    _FIRST,
)
_ADD = insert(_DOCUMENT).values(id=_NEXT_ID, room_id=bindparam("in_room"), seq=bindparam("at_seq"))
_TERMS = bindparam("terms", type_=String())
_ADD_WITH_TERMS = insert(_INDEXED).from_select(
    ["id", "room_id", "seq", "chat_search_index"],
    select(
        _NEXT_ID,
        bindparam("in_room", type_=_DOCUMENT.c.room_id.type),
        bindparam("at_seq", type_=_DOCUMENT.c.seq.type),
        func.array_to_tsvector(func.string_to_array(_TERMS, " ")),
    ),
)
_OF_MESSAGE = and_(
    _DOCUMENT.c.room_id == bindparam("in_room"), _DOCUMENT.c.seq == bindparam("at_seq")
)
_ADD_TERMS = insert(_FTS5).from_select(
    ["rowid", "terms"], select(_DOCUMENT.c.id, _TERMS).where(_OF_MESSAGE)
)
_DROP_TERMS = insert(_FTS5).from_select(
    ["chat_search_index", "rowid", "terms"],
    select(bindparam("command", "delete", String()), _DOCUMENT.c.id, _TERMS).where(_OF_MESSAGE),
)
_DROP = delete(_DOCUMENT).where(_OF_MESSAGE)
_ADVANCE = (
    update(ROOM)
    .where(ROOM.c.id == bindparam("in_room"), ROOM.c.indexed_seq < bindparam("up_to"))
    .values(indexed_seq=bindparam("up_to"))
)


async def rooms_behind(work: UnitOfWork, account_id: UUID, most: int) -> list[UUID]:
    """Rooms of the account with messages that are not in the index yet, last active first."""
    rows = await work.rows(_BEHIND, {"account": account_id, "most": most})
    return [row.id for row in rows]


async def rooms_after(work: UnitOfWork, room_id: UUID, most: int) -> Sequence[Row[Any]]:
    """Rooms in the order of their ids: ``id``, and whether the index is ``behind``."""
    return await work.rows(_ROOMS_AFTER, {"after": room_id, "most": most})


async def index_messages(work: UnitOfWork, room_ids: Collection[UUID], most: int) -> int:
    """Put the rooms' next messages into the index, up to so many; how many there were.

    Whoever does the same at the same moment loses the unique race.
    """
    rows = await work.rows(_UNINDEXED, {"rooms": list(room_ids), "most": most})
    found = [Unindexed._make(row) for row in rows]
    added: list[dict[str, Any]] = [
        {"in_room": one.room_id, "at_seq": one.seq, "first": _first_id(one.at), "terms": terms}
        for one in found
        if one.said and (terms := _terms(one.text, one.seller_id, one.buyer_id))
    ]
    if added and work.is_sqlite:
        await work.execute(_ADD, added)
        await work.execute(_ADD_TERMS, added)
    elif added:
        await work.execute(_ADD_WITH_TERMS, added)
    reached = {one.room_id: one.seq for one in found}
    if reached:
        # Last, so that nobody who sends to the room waits for more than the commit.
        await work.execute(
            _ADVANCE, [{"in_room": id_, "up_to": seq} for id_, seq in reached.items()]
        )
    return len(found)


async def drop_document(work: UnitOfWork, room: RoomFacts, message: StoredMessage) -> None:
    """Make the message be found no more."""
    which = {"in_room": message.room_id, "at_seq": message.seq}
    if work.is_sqlite:
        terms = _terms(message.text, *room.parties)
        await work.execute(_DROP_TERMS, {**which, "terms": terms})
    await work.execute(_DROP, which)


def _first_id(at: datetime) -> int:
    return microseconds(at) * _A_MOMENT


def _terms(text: str, *parties: UUID) -> str:
    return index_terms(text, [_scope(account_id) for account_id in parties])
