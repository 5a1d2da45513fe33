"""The message log: plain messages, many at once, by hand-written statements for each database.

Plain is a text that changes nothing in its room but the counters: the room is open, both sides are
in it, its sender has written in it before and not under this ``cid``. What is not plain is left to
whoever asked, and so is everything after it in the same room, so that no message overtakes one.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from server.platform.columns import microseconds, moment
from server.platform.unit_of_work import UnitOfWork


class Post(NamedTuple):
    """A text to append."""

    room_id: UUID
    sender_id: UUID
    cid: UUID
    id: UUID
    text: str
    fingerprint: str


class Appended(NamedTuple):
    """A text that was appended. ``at`` is never before the message before it: who waited for the
    room's lock began before who had it. ``news``: it is the only one that its reader, who has not
    muted the room, has not read.
    """

    seq: int
    at: datetime
    seller_id: UUID
    buyer_id: UUID
    news: bool


async def append(work: UnitOfWork, posts: Sequence[Post]) -> list[Appended | None]:
    """Append those that are plain, in their order; None for each of the others."""
    if work.is_sqlite:
        return _append_on_sqlite(work, posts)
    return await _append_on_postgresql(work, posts)


_ADVANCE = """
UPDATE chat_room SET last_seq = last_seq + 1, active_at = max(active_at, :now),
    updated_at = :now
WHERE id = :room AND state = 'open' AND NOT blocked
    AND CASE :sender
        WHEN buyer_id THEN asked_at IS NOT NULL
        WHEN seller_id THEN answered_at IS NOT NULL OR asked_at IS NULL
        ELSE false END
    AND NOT EXISTS (SELECT 1 FROM chat_member WHERE room_id = :room AND left_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM chat_message WHERE sender_id = :sender AND cid = :cid)
RETURNING last_seq, active_at, seller_id, buyer_id
"""
_INSERT = """
INSERT INTO chat_message (room_id, seq, id, cid, sender_id, actor_id, kind, text, photos,
    fingerprint, created_at, updated_at)
VALUES (:room, :seq, :id, :cid, :sender, :sender, 'text', :text, '[]', :fingerprint, :at, :now)
"""
_TELL = """
UPDATE chat_member
SET unread = unread + CASE account_id WHEN :seller THEN :by_buyer ELSE :by_seller END,
    active_at = :at, updated_at = :now
WHERE room_id = :room
RETURNING account_id, unread, muted
"""
_Row = dict[str, Any]
"""A message as it is stored, by the names in the statements, and who its parties are."""


def _append_on_sqlite(work: UnitOfWork, posts: Sequence[Post]) -> list[Appended | None]:
    # Nobody else writes meanwhile, so what was looked at stays true.
    rows = _take_places(work, posts)
    stored = [row for row in rows if row is not None]
    work.sqlite_many(_INSERT, stored)
    news = _count_unread(work, stored)
    stored_ids = {id_ for row in stored for id_ in (row["seller"], row["buyer"])}
    parties = {id_: UUID(id_) for id_ in stored_ids}

    def told(row: _Row) -> Appended:
        people = parties[row["seller"]], parties[row["buyer"]]
        return Appended(row["seq"], moment(row["at"]), *people, row["id"] in news)

    return [None if row is None else told(row) for row in rows]


def _take_places(work: UnitOfWork, posts: Sequence[Post]) -> list[_Row | None]:
    """What is stored of each that is plain, with its ``seq``."""
    now = microseconds(work.now)
    left: set[UUID] = set()
    placed: set[tuple[UUID, UUID]] = set()
    rows: list[_Row | None] = []
    for post in posts:
        row: _Row = {
            "room": post.room_id.hex,
            "sender": post.sender_id.hex,
            "cid": post.cid.hex,
            "id": post.id.hex,
            "text": post.text,
            "fingerprint": post.fingerprint,
            "now": now,
        }
        is_copy = (post.sender_id, post.cid) in placed
        moved = [] if is_copy or post.room_id in left else work.sqlite_rows(_ADVANCE, row)
        if moved:
            row["seq"], row["at"], row["seller"], row["buyer"] = moved[0]
            placed.add((post.sender_id, post.cid))
            rows.append(row)
        else:
            left.add(post.room_id)
            rows.append(None)
    return rows


def _count_unread(work: UnitOfWork, stored: Sequence[_Row]) -> set[str]:
    """Count the messages for their readers, once a room; the ids of those that are news."""
    by_room: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in stored:
        by_room[row["room"]].append(row)
    news: set[str] = set()
    for rows in by_room.values():
        last, by_seller = rows[-1], sum(row["sender"] == row["seller"] for row in rows)
        counts = {**last, "by_seller": by_seller, "by_buyer": len(rows) - by_seller}
        for reader, unread, muted in work.sqlite_rows(_TELL, counts):
            for_reader = [row["id"] for row in rows if row["sender"] != reader]
            if for_reader and unread == len(for_reader) and not muted:
                news.add(for_reader[0])
    return news


# One statement: rooms and members are locked in their order (H15), what is plain is decided on
# the locked rows, and then everything moves. A room that somebody else holds is not waited for,
# as the messages of all others would wait too: its own are not plain this time.
_APPEND = """
WITH post AS (
    SELECT *, row_number() OVER (PARTITION BY sender_id, cid ORDER BY n) AS copy
    FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[])
        AS post (n, room_id, sender_id, cid, id, text, fingerprint)
), room AS MATERIALIZED (
    SELECT * FROM chat_room WHERE id IN (SELECT room_id FROM post) ORDER BY id
    FOR UPDATE SKIP LOCKED
), member AS MATERIALIZED (
    SELECT * FROM chat_member WHERE room_id IN (SELECT id FROM room)
    ORDER BY room_id, account_id FOR UPDATE
), judged AS (
    SELECT post.*, room.seller_id, room.buyer_id, room.last_seq, greatest(room.active_at, $8) AS at,
        reader.unread, reader.muted,
        bool_and(
            room.state = 'open' AND NOT room.blocked AND post.copy = 1
            AND writer.left_at IS NULL AND reader.left_at IS NULL
            AND CASE post.sender_id
                WHEN room.buyer_id THEN room.asked_at IS NOT NULL
                ELSE room.answered_at IS NOT NULL OR room.asked_at IS NULL END
            AND NOT EXISTS (
                SELECT FROM chat_message AS earlier
                WHERE earlier.sender_id = post.sender_id AND earlier.cid = post.cid)
        ) OVER (PARTITION BY post.room_id ORDER BY post.n) AS plain
    FROM post
    JOIN room ON room.id = post.room_id
    JOIN member AS writer ON writer.room_id = room.id AND writer.account_id = post.sender_id
    JOIN member AS reader ON reader.room_id = room.id AND reader.account_id <> post.sender_id
), plain AS (
    SELECT judged.*, last_seq + row_number() OVER (PARTITION BY room_id ORDER BY n) AS seq,
        NOT muted AND 1 = unread + row_number() OVER (PARTITION BY room_id, sender_id ORDER BY n)
            AS news
    FROM judged WHERE plain
), stored AS (
    INSERT INTO chat_message (room_id, seq, id, cid, sender_id, actor_id, kind, text, photos,
        fingerprint, created_at, updated_at)
    SELECT room_id, seq, id, cid, sender_id, sender_id, 'text', text, '[]', fingerprint, at, $8
    FROM plain
), moved AS (
    UPDATE chat_room
    SET last_seq = chat_room.last_seq + news.count, active_at = news.at, updated_at = $8
    FROM (SELECT room_id, at, count(*) FROM plain GROUP BY room_id, at) AS news
    WHERE chat_room.id = news.room_id
), told AS (
    UPDATE chat_member
    SET unread = chat_member.unread + news.count, active_at = news.at, updated_at = $8
    FROM (
        SELECT member.room_id, member.account_id, plain.at,
            count(*) FILTER (WHERE plain.sender_id <> member.account_id) AS count
        FROM plain JOIN member ON member.room_id = plain.room_id
        GROUP BY member.room_id, member.account_id, plain.at
    ) AS news
    WHERE chat_member.room_id = news.room_id AND chat_member.account_id = news.account_id
)
SELECT n, seq, at, seller_id, buyer_id, news FROM plain
"""


async def _append_on_postgresql(work: UnitOfWork, posts: Sequence[Post]) -> list[Appended | None]:
    columns = [list(column) for column in zip(*posts, strict=True)]
    rows = await work.postgresql_rows(_APPEND, list(range(len(posts))), *columns, work.now)
    appended: list[Appended | None] = [None] * len(posts)
    for n, *row in rows:
        appended[n] = Appended._make(row)
    return appended
