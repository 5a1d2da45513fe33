"""Much of everything, written straight into the tables: what is measured is reading it."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from server.app.container import build_context, close_context
from server.app.settings import Settings
from server.chat.api import ImportedMessage, import_messages
from server.chat.tables import Message, Room
from server.listings.tables import Listing, SearchDocument
from server.platform.analyser import index_terms
from server.platform.database import Database
from server.platform.ids import seeded_uuid7
from server.platform.unit_of_work import transact

_WORDS = [
    "oak",
    "chair",
    "lamp",
    "desk",
    "bike",
    "phone",
    "case",
    "vintage",
    "white",
    "black",
    "small",
    "large",
    "의자",
    "책상",
    "조명",
    "자전거",
    "핸드폰",
    "케이스",
    "흰색",
    "검정",
    "소형",
    "대형",
    "캠핑",
    "테이블",
    "소파",
    "원목",
    "거울",
    "선반",
]
_CATEGORIES = ("furniture", "digital", "sports", "books", "home_kitchen")
_BATCH = 5_000


async def fill_listings(database_url: str, count: int, seller_id: UUID) -> None:
    """That many published listings over the last year, with their search documents."""
    database = Database(database_url)
    try:
        batch = []
        for pair in _listings(count, seller_id):
            batch.append(pair)
            if len(batch) == _BATCH:
                await _write(database, batch)
                batch = []
        await _write(database, batch)
        async with database.writer.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("ANALYZE")
    finally:
        await database.close()


async def _write(database: Database, batch: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    if not batch:
        return
    async with database.writer.begin() as connection:
        await connection.execute(insert(SearchDocument), [document for _, document in batch])
        await connection.execute(insert(Listing), [listing for listing, _ in batch])


async def fill_room(
    settings: Settings, room_id: UUID, parties: Sequence[UUID], count: int, *, unread: int = 0
) -> None:
    """That many messages in a room, one a minute; the last ``unread`` are so to their reader."""
    context = build_context(settings, base_url="http://127.0.0.1")
    start = datetime.now(UTC) - timedelta(minutes=count)
    messages = [
        ImportedMessage(
            parties[number % 2], f"{number}: is it still there?", start + timedelta(minutes=number)
        )
        for number in range(count)
    ]
    try:
        for begin in range(0, count, _BATCH):
            batch = messages[begin : begin + _BATCH]
            new = unread if begin + _BATCH >= count else 0
            fill = partial(import_messages, room_id=room_id, messages=batch, unread=new)
            await transact(context, None, fill)
        await _begin_then(settings, room_id, start)
    finally:
        await close_context(context)


async def _begin_then(settings: Settings, room_id: UUID, start: datetime) -> None:
    """The room's first line is from now; in a room of people seq and time rise together.

    What was filled in is not to be searched for: indexing it would go on beside what is measured.
    """
    assert settings.database_url is not None
    database = Database(settings.database_url)
    first = update(Message).where(Message.room_id == room_id, Message.seq == 1)
    indexed = update(Room).where(Room.id == room_id).values(indexed_seq=Room.last_seq)
    try:
        async with database.writer.begin() as connection:
            await connection.execute(first.values(created_at=start))
            await connection.execute(indexed)
    finally:
        await database.close()


def _listings(count: int, seller_id: UUID) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    chance, make_id = random.Random(7), seeded_uuid7(7)
    start = datetime.now(UTC) - timedelta(seconds=count * 300)
    for number in range(count):
        moment = start + timedelta(seconds=number * 300)
        title = " ".join(chance.sample(_WORDS, 3))
        description = " ".join(chance.choices(_WORDS, k=20))
        search_id = int(moment.timestamp() * 1_000_000)
        listing = {
            "id": make_id(moment),
            "seller_id": seller_id,
            "version": 1,
            "state": "selling" if number % 5 else "sold",
            "title": title,
            "description": description,
            "category": _CATEGORIES[number % len(_CATEGORIES)],
            "condition": "good",
            "price": chance.randrange(1, 500) * 1000,
            "negotiable": bool(number % 2),
            "method": "both",
            "place": "Mapo",
            "photos": [],
            "like_count": number % 50,
            "chat_count": number % 7,
            "published_at": moment,
            "bumped_at": moment,
            "bump_count": 0,
            "search_id": search_id,
            "created_at": moment,
            "updated_at": moment,
        }
        document = {
            "id": search_id,
            "title_terms": index_terms(title),
            "all_terms": index_terms(f"{title} {description}"),
        }
        yield listing, document
