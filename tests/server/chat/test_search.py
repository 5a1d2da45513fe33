"""Search within one's own messages: what is found, by whom, in which order, on both databases."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from server.chat.tables import SearchDocument
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import reading
from tests.server.chat.conftest import OpenRoom, Sell, say
from tests.server.conftest import Person, problem

SEARCH = "/v1/messages/search"
TEXTS = (
    "의자 아직 있나요?",
    "네, 의자는 두 개 있습니다.",
    "통기타도 파시나요? 케이스 포함인가요",
    "Two chairs, no scratches",
    "Can we meet at Hapjeong exit 3?",
    "CAFÉ 앞에서 만나요",
)


async def found(person: Person, q: str, **params: Any) -> list[str]:
    """The texts that are found, page by page."""
    texts: list[str] = []
    cursor: str | None = None
    while True:
        after = {"cursor": cursor} if cursor else {}
        answer = await person.get(SEARCH, params={"q": q} | params | after)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        texts += [item["text"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return texts
        assert len(page["items"]) == params["limit"]


async def documents(context: Context, room_id: UUID) -> list[int]:
    """The places of the room's messages that are in the index, as the index itself knows them."""
    ids = select(SearchDocument.seq).where(SearchDocument.room_id == room_id)
    async with reading(context) as work:
        if work.is_sqlite:  # a row count of a table without content is that of its index
            entries = text("SELECT count(*) FROM chat_search_index_docsize")
            total = select(func.count()).select_from(SearchDocument)
            assert await work.scalar(entries) == await work.scalar(total)
        return [row.seq for row in await work.rows(ids.order_by(SearchDocument.seq))]


@pytest.mark.parametrize(
    ("q", "numbers"),
    [
        ("의자", (1, 0)),
        ("의자는", (1,)),
        ("의", (1, 0)),
        ("기타", (2,)),
        ("통기타 케이스", (2,)),
        ("의자 -아직", (1,)),
        ("chairs", (3,)),
        ("CHA", (3,)),
        ("scratches two", (3,)),
        ("hapjeong exit", (4,)),
        ("cafe\u0301", (5,)),
        ("만나", (5,)),
        ("hair", ()),
        ("chairs 의자", ()),
        ("-chairs", ()),
        ("!!!", ()),
        ("", ()),
        ("' OR 1=1 --", ()),
        ('"chairs" AND NEAR(', ()),
        ("terms:chairs", ()),
    ],
)
async def test_words_find_the_same_in_both_scripts(
    room: str, seller: Person, buyer: Person, q: str, numbers: tuple[int, ...]
) -> None:
    for said in TEXTS:
        await say(buyer, room, said)
    for person in (buyer, seller):
        assert await found(person, q) == [TEXTS[number] for number in numbers]


async def test_a_hit_is_the_whole_message_as_its_reader_sees_it(
    room: str, buyer: Person, seller: Person
) -> None:
    sent = await say(buyer, room, "pay first please", confirmed=True)
    for person in (buyer, seller):
        (hit,) = (await person.get(SEARCH, params={"q": "pay"})).json()["items"]
        page = (await person.get(f"/v1/chatrooms/{room}/messages?around={sent['seq']}")).json()
        assert hit in page["items"]
        assert (hit["warning"] is None) == (person is buyer)


async def test_a_stranger_finds_nothing_and_sees_no_room(
    room: str, buyer: Person, stranger: Person
) -> None:
    await say(buyer, room, "secret chairs")
    assert await found(stranger, "chairs") == []
    problem(
        await stranger.get(SEARCH, params={"q": "chairs", "chatroom_id": room}), 404, "not_found"
    )
    nowhere = {"q": "chairs", "chatroom_id": str(uuid4())}
    problem(await buyer.get(SEARCH, params=nowhere), 404, "not_found")


async def test_the_scope_of_another_account_finds_nothing(
    room: str, buyer: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.chat.repository.search._scope", lambda _: "0")
    await say(buyer, room, "secret chairs")
    assert await found(stranger, "chairs") == []
    assert await found(buyer, "chairs") == ["secret chairs"]


async def test_the_newest_come_first_across_rooms_page_by_page(
    buyer: Person, seller: Person, sell: Sell, open_room: OpenRoom, clock: MovableClock
) -> None:
    rooms = [await open_room(buyer, await sell(seller)) for _ in range(2)]
    texts = []
    for number in range(12):
        if number % 3:
            clock.advance(timedelta(seconds=1))
        texts.append(f"chair {number}")
        await say(seller if number % 2 else buyer, rooms[number % 4 // 2], texts[-1])
        if number == 5:
            assert await found(buyer, "chair 5") == ["chair 5"]
    for limit in (1, 5, 20):
        assert sorted(await found(buyer, "chair", limit=limit)) == sorted(texts)
        assert await found(buyer, "chair", limit=limit) == await found(buyer, "chair", limit=100)
    moments = [
        item["created_at"]
        for item in (await buyer.get(SEARCH, params={"q": "chair"})).json()["items"]
    ]
    assert moments == sorted(moments, reverse=True)
    only = await found(buyer, "chair", limit=2, chatroom_id=rooms[0])
    assert only == [f"chair {number}" for number in (9, 8, 5, 4, 1, 0)]


async def test_messages_of_one_moment_keep_the_order_of_their_room(
    room: str, buyer: Person
) -> None:
    for number in range(5):
        await say(buyer, room, f"chair {number}")
        if number == 2:
            await found(buyer, "chair")
    assert await found(buyer, "chair", limit=2) == [f"chair {number}" for number in (4, 3, 2, 1, 0)]


async def test_a_cursor_is_of_its_words_and_room(room: str, buyer: Person) -> None:
    for _ in range(2):
        await say(buyer, room, "chairs tables")
    page = (await buyer.get(SEARCH, params={"q": "chairs", "limit": 1})).json()
    for other in ({"q": "tables"}, {"q": "chairs", "chatroom_id": room}):
        answer = await buyer.get(SEARCH, params={**other, "cursor": page["next_cursor"]})
        problem(answer, 400, "cursor_invalid")


async def test_system_lines_are_not_found(room: str, buyer: Person) -> None:
    page = (await buyer.get(f"/v1/chatrooms/{room}/messages")).json()
    word = next(item["text"] for item in page["items"] if item["kind"] == "system").split()[0]
    assert await found(buyer, word) == []


@pytest.mark.parametrize("indexed_before", [True, False])
async def test_a_deleted_message_is_found_no_more(
    room: str, buyer: Person, seller: Person, context: Context, indexed_before: bool
) -> None:
    sent = await say(buyer, room, "secret 의자")
    kept = await say(buyer, room, "another 의자")
    if indexed_before:
        assert len(await found(buyer, "의자")) == 2
    assert (await buyer.delete(f"/v1/chatrooms/{room}/messages/{sent['seq']}")).status_code == 204
    assert await documents(context, UUID(room)) == ([kept["seq"]] if indexed_before else [])
    for person in (buyer, seller):
        assert await found(person, "의자") == ["another 의자"]
        assert await found(person, "secret") == []
    assert await documents(context, UUID(room)) == [kept["seq"]]


async def test_what_somebody_has_left_behind_only_the_other_side_finds(
    room: str, buyer: Person, seller: Person
) -> None:
    await say(buyer, room, "old chairs")
    assert await found(buyer, "chairs") == ["old chairs"]
    assert (await buyer.post(f"/v1/chatrooms/{room}/leave")).status_code == 204
    assert await found(buyer, "chairs") == []
    await say(seller, room, "new chairs")
    assert await found(buyer, "chairs") == ["new chairs"]
    assert await found(seller, "chairs") == ["new chairs", "old chairs"]


async def test_the_query_has_limits(
    room: str, buyer: Person, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await buyer.get(SEARCH)).status_code == 422
    assert (await buyer.get(SEARCH, params={"q": "x" * 101})).status_code == 422
    assert (await buyer.get(SEARCH, params={"q": "x", "chatroom_id": "no"})).status_code == 422
    context.rates.enabled = True
    monkeypatch.setattr(context.rates, "_monotonic", lambda: 0.0)
    answers = [await buyer.get(SEARCH, params={"q": "chairs"}) for _ in range(70)]
    problem(answers[-1], 429, "rate_limited")
    assert answers[59].status_code == 200
