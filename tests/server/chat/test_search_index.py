"""The search index behind one's messages: what it costs, and how it is filled."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from server.chat import search
from server.chat.api import ImportedMessage, import_messages
from server.chat.tables import Room, SearchDocument
from server.platform.analyser import index_terms
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import reading, transact
from tests.server.chat.conftest import OpenRoom, Sell, say
from tests.server.conftest import Person
from tests.server.plans import last_statement, plan_of

SEARCH = "/v1/messages/search"
OTHERS = 100_000
"""Messages of other people, each with the word that is looked for."""
SAID = "Are the two chairs on the picture still there, and would you take forty thousand for both?"

_FILL_SQLITE = """
INSERT INTO chat_message (room_id, seq, id, cid, sender_id, actor_id, kind, text, photos,
    created_at, updated_at)
WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})
SELECT :room, 1000 + n, printf('%032x', n), NULL, :sender, :sender, 'text', '{said}', '[]', n, n
FROM n;
INSERT INTO chat_search_document (id, room_id, seq)
SELECT created_at, room_id, seq FROM chat_message WHERE seq > 1000;
INSERT INTO chat_search_index (rowid, terms)
SELECT id, '{terms}' FROM chat_search_document WHERE seq > 1000
"""
_FILL_POSTGRESQL = """
INSERT INTO chat_message (room_id, seq, id, cid, sender_id, actor_id, kind, text, photos,
    created_at, updated_at)
SELECT CAST(:room AS uuid), 1000 + n, gen_random_uuid(), NULL, CAST(:sender AS uuid),
    CAST(:sender AS uuid), 'text', '{said}', '[]', now(), now()
FROM generate_series(1, {count}) AS n;
INSERT INTO chat_search_document (id, room_id, seq, chat_search_index)
SELECT seq, room_id, seq, array_to_tsvector(string_to_array('{terms}', ' '))
FROM chat_message WHERE seq > 1000;
ANALYZE chat_search_document;
ANALYZE chat_message
"""


@pytest.fixture
async def crowd(
    context: Context, sell: Sell, open_room: OpenRoom, seller: Person, stranger: Person
) -> None:
    """A room of others in which the same word was said very often."""
    room = UUID(await open_room(stranger, await sell(seller)))
    terms = index_terms(SAID, [account.id.hex[-8:] for account in (seller, stranger)])
    sqlite = context.database.is_sqlite
    fill = (_FILL_SQLITE if sqlite else _FILL_POSTGRESQL).format(
        count=OTHERS, terms=terms, said=SAID
    )
    values = {"room": room.hex, "sender": stranger.id.hex}
    async with context.database.unlimited() as connection:  # so many take a while
        for statement in fill.split(";"):
            named = values if ":room" in statement else {}
            await connection.execute(text(statement), named)


async def test_one_of_a_hundred_thousand_is_found_along_the_words(
    crowd: None, context: Context, room: str, buyer: Person, stranger: Person
) -> None:
    await say(buyer, room, "two chairs")
    for params in ({"q": "chairs"}, {"q": "cha", "limit": 1}, {"q": "chairs", "chatroom_id": room}):
        with last_statement(context, "chat_search_document") as found:
            answer = await buyer.get(SEARCH, params=params)
        assert [item["text"] for item in answer.json()["items"]] == ["two chairs"]
        plan = await plan_of(context, *found, only_along_indexes=False)
        if context.database.is_sqlite:
            assert re.search("SCAN chat_search_index VIRTUAL TABLE INDEX [0-9]+:M", plan), plan
            assert plan.count("SCAN") == 1, plan
            assert "ORDER BY" not in plan, plan
        else:
            assert "Bitmap Index Scan on chat_search_index_gin" in plan, plan
            assert "Seq Scan on chat_" not in plan, plan


async def test_a_page_costs_the_same_however_much_it_holds(
    room: str,
    buyer: Person,
    seller: Person,
    sell: Sell,
    open_room: OpenRoom,
    count_queries: Callable[[], Any],
) -> None:
    counts = []
    for number in range(3):
        other = await open_room(buyer, await sell(seller))
        for _ in range(1 + 9 * number):
            await say(buyer, other, "two chairs")
        await buyer.get(SEARCH, params={"q": "chairs"})
        with count_queries() as queries:
            answer = await buyer.get(SEARCH, params={"q": "chairs", "limit": 100})
        counts.append((queries.count, len(answer.json()["items"])))
    assert [held for _, held in counts] == [1, 11, 30]
    assert len({count for count, _ in counts}) == 1, counts


async def test_sending_writes_nothing_for_the_search(
    room: str, buyer: Person, context: Context
) -> None:
    await say(buyer, room, "two chairs")
    assert await indexed(context) == 0


async def test_the_worker_indexes_every_room_in_batches(
    room: str,
    buyer: Person,
    seller: Person,
    sell: Sell,
    open_room: OpenRoom,
    context: Context,
    clock: MovableClock,
    count_queries: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for batch in "_BATCH", "_BATCH_BESIDE":
        monkeypatch.setattr(search, batch, 7)
    monkeypatch.setattr(search, "_ROOMS_AT_ONCE", 2)
    rooms = [room, *[await open_room(buyer, await sell(seller)) for _ in range(4)]]
    said = [ImportedMessage(buyer.id, f"chair {n}", clock.now()) for n in range(10)]
    for one in rooms:
        await transact(context, None, partial(import_messages, room_id=UUID(one), messages=said))
    await search.index_all(context)
    assert await indexed(context) == 50
    assert await rooms_behind(context) == 0
    with count_queries() as queries:
        await search.index_all(context)
    assert not [one for one in queries.statements if "chat_message" in one]
    with count_queries() as queries:
        answer = await buyer.get(SEARCH, params={"q": "chair", "limit": 100})
    assert len(answer.json()["items"]) == 50
    assert not [one for one in queries.statements if "INSERT" in one or "UPDATE" in one]


async def test_many_searches_at_once_index_a_message_once(
    room: str, buyer: Person, seller: Person, context: Context
) -> None:
    for number in range(20):
        await say(buyer, room, f"chair {number}")
    people = [buyer, seller] * 4
    answers = await asyncio.gather(
        *(one.get(SEARCH, params={"q": "chair", "limit": 100}) for one in people)
    )
    assert [len(answer.json()["items"]) for answer in answers] == [20] * len(people)
    assert await indexed(context) == 20


async def test_a_search_amid_deletions_leaves_no_deleted_message_in_the_index(
    room: str, buyer: Person, context: Context
) -> None:
    sent = [(await say(buyer, room, f"chair {number}"))["seq"] for number in range(20)]
    await asyncio.gather(
        *(buyer.delete(f"/v1/chatrooms/{room}/messages/{seq}") for seq in sent[::2]),
        *(buyer.get(SEARCH, params={"q": "chair"}) for _ in range(4)),
    )
    await buyer.get(SEARCH, params={"q": "chair"})
    assert await indexed(context) == 10


async def indexed(context: Context) -> int:
    """How many messages are in the index."""
    async with reading(context) as work:
        count: int = await work.scalar(select(func.count()).select_from(SearchDocument))
        return count


async def rooms_behind(context: Context) -> int:
    """How many rooms have messages that are not in it."""
    async with reading(context) as work:
        behind = select(func.count()).where(Room.last_seq > Room.indexed_seq)
        count: int = await work.scalar(behind)
        return count


async def test_more_messages_of_one_moment_than_it_has_ids_are_all_found(
    context: Context, clock: MovableClock, seller: Person, buyer: Person, room: str
) -> None:
    """As where a room's clock was set back: its messages are of its last moment until then."""
    said = [ImportedMessage(buyer.id, f"oak {number}", clock.now()) for number in range(1_100)]
    await transact(context, None, lambda work: import_messages(work, UUID(room), said))
    await say(buyer, room, "walnut")
    await search.index_all(context)
    for word, seq in ("oak 1099", 1_101), ("walnut", 1_102):
        found = (await buyer.get(SEARCH, params={"q": word})).json()["items"]
        assert [one["seq"] for one in found] == [seq]
