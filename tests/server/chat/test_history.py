"""Pages of history: right at their edges, and as cheap at the bottom as at the top."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from server.chat import api as chat
from server.platform.context import Context
from server.platform.unit_of_work import transact
from tests.server.chat.conftest import say
from tests.server.conftest import Person, problem

DEEP = 20_000


@pytest.fixture
async def deep_room(context: Context, seller: Person, buyer: Person, room: str) -> str:
    """A room with 20,000 messages after its safety line."""
    now = context.clock.now()
    people = (seller.id, buyer.id)
    items = [chat.ImportedMessage(people[n % 2], f"m{n}", now) for n in range(1, DEEP)]
    await transact(context, None, lambda work: chat.import_messages(work, UUID(room), items))
    return room


async def test_a_page_costs_the_same_queries_at_any_depth(
    buyer: Person, deep_room: str, count_queries: Callable[[], Any]
) -> None:
    statements = set()
    for before in (DEEP + 1, DEEP - 1_000, 60, 51):
        with count_queries() as queries:
            page = await buyer.get(f"/v1/chatrooms/{deep_room}/messages?before={before}&limit=50")
        assert len(page.json()["items"]) == 50
        assert queries.count <= 3
        statements.add(tuple(queries.statements))
    assert len(statements) == 1


@pytest.mark.parametrize(
    ("query", "first", "last", "more_before", "more_after"),
    [
        ("", 12, 31, True, False),
        ("before=12", 1, 11, False, True),
        ("before=1000", 12, 31, True, False),
        ("before=12&limit=5", 7, 11, True, True),
        ("after=0&limit=5", 1, 5, False, True),
        ("after=25", 26, 31, True, False),
        ("around=15&limit=10", 10, 19, True, True),
        ("around=2&limit=10", 1, 10, False, True),
        ("around=30&limit=10", 25, 31, True, False),
        ("limit=100", 1, 31, False, False),
    ],
)
async def test_a_page_knows_its_edges(
    buyer: Person,
    room: str,
    query: str,
    first: int,
    last: int,
    more_before: bool,
    more_after: bool,
) -> None:
    for number in range(30):
        await say(buyer, room, str(number))
    page = (await buyer.get(f"/v1/chatrooms/{room}/messages?{query}")).json()
    assert [item["seq"] for item in page["items"]] == list(range(first, last + 1))
    assert (page["first_seq"], page["last_seq"]) == (first, last)
    assert (page["has_more_before"], page["has_more_after"]) == (more_before, more_after)


@pytest.mark.parametrize(
    ("query", "more_before", "more_after"),
    [("before=1", False, True), ("after=99", True, False), ("before=0", False, True)],
)
async def test_an_empty_page_still_knows_where_the_rest_is(
    buyer: Person,
    room: str,
    query: str,
    more_before: bool,
    more_after: bool,
    count_queries: Callable[[], Any],
) -> None:
    with count_queries() as queries:
        page = (await buyer.get(f"/v1/chatrooms/{room}/messages?{query}")).json()
    assert queries.count <= 3
    assert (page["items"], page["first_seq"], page["last_seq"]) == ([], None, None)
    assert (page["has_more_before"], page["has_more_after"]) == (more_before, more_after)


async def test_everybody_in_a_page_has_a_profile_once(
    seller: Person, buyer: Person, room: str
) -> None:
    await say(buyer, room)
    await say(seller, room)
    await say(seller, room)
    page = (await buyer.get(f"/v1/chatrooms/{room}/messages")).json()
    assert set(page["profiles"]) == {str(seller.id), str(buyer.id)}
    assert page["profiles"][str(seller.id)]["display_name"] == "판매자"


@pytest.mark.parametrize(
    "query", ["before=3&after=1", "limit=0", "limit=101", "before=-1", "before=x", f"after={2**64}"]
)
async def test_a_malformed_bound_is_refused(buyer: Person, room: str, query: str) -> None:
    answer = await buyer.get(f"/v1/chatrooms/{room}/messages?{query}")
    assert answer.status_code == 422
    problem(answer, 422, "one_bound" if "&" in query else "invalid")
