"""Pages of history: right at their edges, and as cheap at the bottom as at the top."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text, update

from server.accounts import api as accounts
from server.accounts.tables import Account
from server.chat import api as chat
from server.chat import repository
from server.platform.context import Context
from server.platform.sqlite_connection import driver_connection
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.chat import MessagePage
from tests.server.chat.conftest import Upload1, say
from tests.server.conftest import Person, problem

DEEP = 20_000


@pytest.fixture
async def deep_room(context: Context, seller: Person, buyer: Person, room: str) -> str:
    """A room with 20,000 messages after its safety line."""
    now = context.clock.now()
    people = (seller.id, buyer.id)
    items = [chat.ImportedMessage(people[n % 2], f"m{n}", now) for n in range(1, DEEP)]
    await transact(context, None, lambda work: chat.import_messages(work, UUID(room), items))
    if not context.database.is_sqlite:  # PostgreSQL does it by itself, in a minute
        await transact(context, None, lambda work: work.execute(text("ANALYZE")))
    return room


@pytest.mark.parametrize(
    "bound", ["before={}", "after={}", "around={}"], ids=["before", "after", "around"]
)
async def test_a_page_costs_the_same_at_any_depth(
    context: Context,
    buyer: Person,
    deep_room: str,
    count_queries: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
) -> None:
    asked = note_pages(monkeypatch)
    statements, efforts = set(), []
    for depth in (DEEP - 60, DEEP - 1_000, 60, 101):
        with count_queries() as queries:
            query = bound.format(depth)
            page = await buyer.get(f"/v1/chatrooms/{deep_room}/messages?{query}&limit=50")
        assert len(page.json()["items"]) == 50
        assert queries.count == 1
        statements.add(tuple(queries.statements))
        efforts.append(await effort(context, *asked.pop()))
    assert len(statements) == 1
    assert max(efforts) <= 1.1 * min(efforts)


def note_pages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """The statements that read pages, as they are asked for."""
    asked: list[tuple[str, tuple[Any, ...]]] = []
    by_hand = UnitOfWork.by_hand

    async def noted(work: UnitOfWork, statement: str, *values: Any) -> Sequence[Any]:
        if "chat_message" in statement:
            asked.append((statement, values))
        return await by_hand(work, statement, *values)

    monkeypatch.setattr(UnitOfWork, "by_hand", noted)
    return asked


async def effort(context: Context, statement: str, values: tuple[Any, ...]) -> float:
    """How much the database does for a statement: steps of SQLite's machine, or rows looked at."""
    async with reading(context) as work:
        if not work.is_sqlite:
            explained = "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) " + statement
            plan = (await work.postgresql_rows(explained, *values))[0][0][0]["Plan"]
            return rows_looked_at(plan)
        steps = count(0)
        driver = driver_connection(work.connection)
        driver.set_progress_handler(lambda: next(steps) < 0, 1)
        await work.by_hand(statement, *values)
        driver.set_progress_handler(None, 0)
        return next(steps)


def rows_looked_at(plan: dict[str, Any]) -> float:
    """Of a plan of PostgreSQL and all below it, with those that were thrown away."""
    own = float(plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    return own * float(plan["Actual Loops"]) + sum(map(rows_looked_at, plan.get("Plans", [])))


@pytest.mark.parametrize("bound", [{"at_least": 60}, {"below": 60}], ids=["at_least", "below"])
async def test_how_a_page_is_read_is_worked_out_once(
    context: Context,
    buyer: Person,
    deep_room: str,
    monkeypatch: pytest.MonkeyPatch,
    bound: dict[str, int],
) -> None:
    asked, token_hash = note_pages(monkeypatch), context.secret.token_hash(buyer.token)
    async with reading(context) as work:
        for _ in range(10):  # PostgreSQL plans for the values of the first five
            await repository.history(work, UUID(deep_room), token_hash, limit=20, **bound)
        if not work.is_sqlite:
            kept = "SELECT generic_plans FROM pg_prepared_statements WHERE statement = $1"
            assert await work.postgresql_rows(kept, asked[0][0]) == [(5,)]


async def test_only_who_is_signed_in_and_in_the_room_reads_a_page(
    seller: Person, buyer: Person, stranger: Person, room: str
) -> None:
    path = f"/v1/chatrooms/{room}/messages"
    problem(await stranger.get(path), 404, "not_found")
    for person in (seller, buyer):
        assert (await person.get(path)).json()["items"]
    await seller.delete("/v1/sessions/current")
    await buyer.delete("/v1/me")
    for person in (seller, buyer):
        problem(await person.get(path), 401, "unauthenticated")
        for query in ("before=1", "before=3&after=1"):
            problem(await person.get(f"{path}?{query}"), 401, "unauthenticated")


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


async def test_profiles_are_as_everywhere_else(
    context: Context, seller: Person, buyer: Person, room: str
) -> None:
    await say(buyer, room)
    await say(seller, room)
    looks = {"placeholder": "", "thumb_url": "/thumb", "full_url": "/full"}
    avatar = {"id": str(uuid4()), "width": 8, "height": 8, **looks}
    await transact(context, None, partial(change, seller, avatar=avatar, manner_score=36.7))
    for gone in (False, True):
        page = (await buyer.get(f"/v1/chatrooms/{room}/messages")).json()
        async with reading(context) as work:
            cards = await accounts.cards(work, [seller.id, buyer.id])
        shown = {str(id_): card.model_dump(mode="json") for id_, card in cards.items()}
        assert page["profiles"] == shown
        assert page["profiles"][str(seller.id)]["deleted"] is gone
        await seller.delete("/v1/me")


async def change(person: Person, work: UnitOfWork, **columns: Any) -> None:
    """Set columns of an account."""
    await work.execute(update(Account).where(Account.id == person.id).values(**columns))


@pytest.mark.parametrize(
    "query", ["before=3&after=1", "limit=0", "limit=101", "before=-1", "before=x", f"after={2**64}"]
)
async def test_a_malformed_bound_is_refused(buyer: Person, room: str, query: str) -> None:
    answer = await buyer.get(f"/v1/chatrooms/{room}/messages?{query}")
    assert answer.status_code == 422
    problem(answer, 422, "one_bound" if "&" in query else "invalid")


async def test_a_page_shows_each_message_as_everything_else_does(
    context: Context, seller: Person, buyer: Person, room: str, upload: Upload1
) -> None:
    await say(buyer, room, "나무 의자 \U0001fa91", photo_ids=[await upload(buyer)])
    await say(seller, room, "Call me: 010-1234-5678", confirmed=True)
    gone = await say(buyer, room, "a secret", photo_ids=[await upload(buyer)])
    await buyer.delete(f"/v1/chatrooms/{room}/messages/{gone['seq']}")
    for reader in (seller, buyer):
        page = (await reader.get(f"/v1/chatrooms/{room}/messages")).json()
        assert [item["kind"] for item in page["items"]] == ["system", "photo", "text", "photo"]
        assert MessagePage.model_validate(page).model_dump(mode="json") == page
        async with reading(context) as work:
            for item in page["items"]:
                message = await chat.find_message(work, UUID(item["id"]), reader.id)
                assert message is not None
                assert message.model_dump(mode="json") == item
