"""The notification centre (rule 16)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from server.accounts.tables import Account
from server.app.background import periodic, runners
from server.notifications import api, repository
from server.notifications.api import Notice
from server.notifications.service import message_key
from server.notifications.tables import Notification
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.notifications import NotificationKind
from tests.server.conftest import Person, SignUpPerson, problem
from tests.server.plans import last_statement, plan_of
from tests.server.statements import before_each_statement
from tests.server.trades.market import Deal, Market, done


@pytest.fixture
def market(context: Context, clock: MovableClock, sign_up: SignUpPerson) -> Market:
    """A market with nobody on it yet."""
    return Market(context, clock, sign_up)


async def tell(market: Market, *people: Person, **fields: object) -> None:
    """A notice of the system to some people."""
    values = {"kind": NotificationKind.SYSTEM, "event": "news", "text": "News.", "key": "news:1"}
    notice = Notice(**(values | fields))  # type: ignore[arg-type]
    ids = [person.id for person in people]
    await transact(market.context, None, lambda work: api.notify(work, ids, notice))


async def unread(market: Market, person: Person) -> int:
    async with reading(market.context) as work:
        return await api.unread_count(work, person.id)


async def switch(person: Person, **switches: bool) -> None:
    await done(person.patch("/v1/me", {"notification_switches": switches}))


async def test_a_notice_is_told_once_to_each(market: Market) -> None:
    mina, jun = await market.person("mina"), await market.person("jun")
    await tell(market, mina)
    await tell(market, mina, jun, jun)
    for person in (mina, jun):
        assert [notice["text"] for notice in await market.notices(person)] == ["News."]


async def test_a_notice_names_its_kind_event_and_objects(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    (notice,) = await market.notices(deal.buyer)
    assert (notice["kind"], notice["event"]) == ("trade", "trade_reserved")
    assert notice["text"] == "Film camera: Reserved for 100,000."
    assert notice["data"] == {
        "trade_id": trade["id"],
        "chatroom_id": deal.room_id,
        "listing_id": deal.listing_id,
    }
    assert (notice["read"], notice["silent"]) == (False, False)
    assert await market.notices(deal.seller) == []


async def test_trade_and_system_are_silenced_but_never_switched_off(market: Market) -> None:
    deal = await market.deal()
    refused = await deal.buyer.patch("/v1/me", {"notification_switches": {"trade": False}})
    problem(refused, 422, "always_on")

    async def silence(work: UnitOfWork) -> None:
        switches = {"trade": False, "system": False}
        await work.execute(update(Account).values(notification_switches=switches))

    await transact(market.context, None, silence)
    await market.reserved(deal)
    await tell(market, deal.buyer)
    notices = await market.notices(deal.buyer)
    assert [(notice["kind"], notice["silent"]) for notice in notices] == [
        ("system", True),
        ("trade", True),
    ]


@pytest.mark.parametrize(("on", "count"), [(True, 1), (False, 0)])
async def test_other_kinds_are_switched_off(market: Market, on: bool, count: int) -> None:
    deal = await market.deal()
    await switch(deal.seller, offer=on)
    await done(deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": 90_000}))
    assert len(await market.notices(deal.seller)) == count


async def say(market: Market, person: Person, room_id: str, text: str) -> int:
    """The number of the message."""
    body = {"cid": str(market.context.make_id(market.clock.now())), "text": text}
    return int((await done(person.post(f"/v1/chatrooms/{room_id}/messages", body)))["seq"])


async def test_the_first_unread_message_of_a_room_is_told_and_no_other(market: Market) -> None:
    deal = await market.deal()
    room = f"/v1/chatrooms/{deal.room_id}"
    await done(deal.seller.put(f"{room}/read", {"seq": 100}))
    await say(market, deal.buyer, deal.room_id, "Is it still there?")
    await say(market, deal.buyer, deal.room_id, "Hello?")
    told = await market.notices(deal.seller)
    assert [(notice["kind"], notice["text"]) for notice in told] == [
        ("chat", "buyer: Is it still there?")
    ]
    await done(deal.seller.put(f"{room}/read", {"seq": 100}))
    await say(market, deal.buyer, deal.room_id, "Thanks!")
    assert len(await market.notices(deal.seller)) == 2
    assert await market.notices(deal.buyer) == []


async def with_news_of_two_rooms(market: Market) -> tuple[Deal, int]:
    """A seller with an unread notice of each of two rooms and of something else; the first room,
    and the number of its message.
    """
    here = await market.deal()
    there = await market.deal_with(here.seller, here.buyer)
    for deal in here, there:
        await done(here.seller.put(f"/v1/chatrooms/{deal.room_id}/read", {"seq": 100}))
    first = await say(market, here.buyer, here.room_id, "Is it still there?")
    await say(market, here.buyer, here.room_id, "Hello?")
    await say(market, here.buyer, there.room_id, "And this one?")
    await tell(market, here.seller)
    assert await unread(market, here.seller) == 3
    return here, first


async def news(market: Market, person: Person) -> set[str]:
    return {notice["text"] for notice in await market.notices(person) if not notice["read"]}


async def test_what_is_read_in_its_chat_is_no_news_any_more(market: Market) -> None:
    deal, seq = await with_news_of_two_rooms(market)
    read = f"/v1/chatrooms/{deal.room_id}/read"
    await done(deal.seller.put(read, {"seq": seq - 1}))
    assert await unread(market, deal.seller) == 3, "the message is not read yet"
    await done(deal.seller.put(read, {"seq": seq}))
    assert await news(market, deal.seller) == {"buyer: And this one?", "News."}
    assert await unread(market, deal.seller) == 2


async def test_a_chat_that_is_left_is_no_news_any_more(market: Market) -> None:
    deal, _ = await with_news_of_two_rooms(market)
    assert (await deal.seller.post(f"/v1/chatrooms/{deal.room_id}/leave")).is_success
    assert await news(market, deal.seller) == {"buyer: And this one?", "News."}


def notice_row(market: Market, person: Person, id_: UUID, key: str, **fields: Any) -> Any:
    said = {"kind": "system", "event": "news", "text": "News.", "data": {}, "silent": False}
    whose = {"id": id_, "account_id": person.id, "dedup_key": key}
    return (
        whose | said | {name: market.clock.now() for name in ("created_at", "updated_at")} | fields
    )


async def with_much_other_news(market: Market, person: Person) -> None:
    """Some hundreds of unread notices, which the database knows to be many."""
    keys = [f"news:{number}" for number in range(2, 302)]
    rows = [notice_row(market, person, uuid4(), key) for key in keys]
    await transact(market.context, None, lambda work: repository.add(work, rows))
    async with market.context.database.writer.begin() as connection:
        await connection.execute(text("ANALYZE notifications_notification"))


async def test_what_is_read_in_a_chat_is_found_by_its_key(market: Market) -> None:
    deal, seq = await with_news_of_two_rooms(market)
    await with_much_other_news(market, deal.seller)
    with last_statement(market.context, "UPDATE notifications_notification") as found:
        await done(deal.seller.put(f"/v1/chatrooms/{deal.room_id}/read", {"seq": seq}))
    plan = await plan_of(market.context, *found, only_along_indexes=True)
    by_key = (
        "(account_id=? AND dedup_key>? AND dedup_key<?)"
        if market.context.database.is_sqlite
        else "using uq_notifications_notification_account_id_dedup_key"
    )
    assert by_key in plan
    assert "ix_notifications_unread" not in plan


async def test_the_newest_that_is_read_in_a_chat_is_so_by_its_moment_not_by_its_id(
    market: Market,
) -> None:
    mina, room_id = await market.person("mina"), uuid4()
    late_id, early_id = sorted((uuid4(), uuid4()))
    for seq, id_ in (1, early_id), (2, late_id):
        row = notice_row(market, mina, id_, message_key(room_id, seq), data={"seq": seq})
        await transact(market.context, None, partial(repository.add, notices=[row]))
        market.clock.advance(timedelta(seconds=1))
    keys = message_key(room_id, 0), message_key(room_id, 9)
    marked = partial(repository.mark_messages_read, account_id=mina.id, keys=keys, seq=2)
    assert await transact(market.context, None, marked) == late_id


@pytest.mark.parametrize(("has_notice", "more"), [(False, 1), (True, 3)])
async def test_reading_a_chat_asks_little_more_of_the_database(
    market: Market, has_notice: bool, more: int
) -> None:
    deal, seq = await with_news_of_two_rooms(market)
    read = f"/v1/chatrooms/{deal.room_id}/read"
    said: list[str] = []
    if not has_notice:
        await done(deal.seller.put(read, {"seq": seq}))
    with before_each_statement(market.context.database, said.append):
        await done(deal.seller.put(read, {"seq": seq + (not has_notice)}))
    about = [one for one in said if "notifications_notification" in one]
    held = [one for one in said if one.startswith("SELECT platform_stream.id")]
    assert len(about) + len(held) == more


async def test_a_muted_room_tells_nothing(market: Market) -> None:
    deal = await market.deal()
    room = f"/v1/chatrooms/{deal.room_id}"
    await done(deal.seller.put(f"{room}/read", {"seq": 100}))
    assert (await deal.seller.put(f"{room}/mute")).is_success
    await say(market, deal.buyer, deal.room_id, "Is it still there?")
    assert await market.notices(deal.seller) == []


async def test_likers_are_told_of_a_real_cut_of_the_price(market: Market) -> None:
    deal = await market.deal()
    fan = await market.person("fan")
    path = f"/v1/listings/{deal.listing_id}"
    assert (await fan.put(f"{path}/like")).is_success
    for price in (95_000, 85_000):
        version = (await done(deal.seller.get(path)))["version"]
        headers = {"If-Match": f'"{version}"'}
        await done(deal.seller.patch(path, {"price": price}, headers=headers))
    (notice,) = await market.notices(fan)
    assert (notice["kind"], notice["event"]) == ("price", "price_dropped")
    assert notice["data"]["new"] == 85_000


async def test_reading_up_to_a_notice_leaves_the_newer_ones_unread(market: Market) -> None:
    mina = await market.person("mina")
    for number in range(3):
        await tell(market, mina, key=f"news:{number}", text=f"News {number}.")
        market.clock.advance(timedelta(seconds=1))
    newest, middle, oldest = await market.notices(mina)
    read = await mina.put("/v1/notifications/read", {"up_to_id": middle["id"]})
    assert read.status_code == 204
    assert [notice["read"] for notice in await market.notices(mina)] == [False, True, True]
    assert await unread(market, mina) == 1
    again = await mina.put("/v1/notifications/read", {"up_to_id": oldest["id"]})
    assert again.status_code == 204
    assert await unread(market, mina) == 1
    await mina.put("/v1/notifications/read", {"up_to_id": newest["id"]})
    assert await unread(market, mina) == 0


async def test_pages_go_on_where_the_one_before_ended(market: Market) -> None:
    mina = await market.person("mina")
    for number in range(5):
        await tell(market, mina, key=f"news:{number}", text=f"News {number}.")
    seen, cursor = [], ""
    for _ in range(3):
        page = await done(mina.get(f"/v1/notifications?limit=2{cursor}"))
        seen += [notice["text"] for notice in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert sorted(seen) == [f"News {number}." for number in range(5)]
    problem(await mina.get("/v1/notifications?cursor=nonsense"), 400, "cursor_invalid")


async def test_the_history_is_kept_for_90_days(market: Market) -> None:
    mina = await market.person("mina")
    await tell(market, mina, key="news:old")
    market.clock.advance(timedelta(days=1))
    await tell(market, mina, key="news:new")
    market.clock.advance(timedelta(days=89, seconds=1))
    for kind in {job.kind for job in periodic() if job.kind.startswith("notifications.")}:
        await runners()[kind](market.context, {})
    assert len(await market.notices(mina)) == 1


async def test_telling_many_asks_no_more_of_the_database_than_telling_one(
    context: Context, market: Market, count_queries: Callable[[], Any]
) -> None:
    people = [(await market.person(f"liker_{number}")).id for number in range(8)]

    async def asked(told: list[UUID], key: str) -> int:
        notice = Notice(kind=NotificationKind.PRICE, event="cut", text="Cheaper.", key=key)
        with count_queries() as queries:
            await transact(context, None, lambda work: api.notify(work, told, notice))
        return sum(statement.startswith("SELECT") for statement in queries.statements)

    assert await asked(people[:1], "one") == await asked(people, "many")


async def test_who_wrote_is_called_as_they_are_called_now(market: Market) -> None:
    deal = await market.deal()
    await done(deal.seller.put(f"/v1/chatrooms/{deal.room_id}/read", {"seq": 100}))
    await say(market, deal.buyer, deal.room_id, "Is it still there?")

    async def told() -> list[str]:
        return [notice["text"] for notice in await market.notices(deal.seller)]

    assert await told() == ["buyer: Is it still there?"]
    await done(deal.buyer.patch("/v1/me", {"display_name": "Mina"}))
    assert await told() == ["Mina: Is it still there?"]
    assert (await deal.buyer.delete("/v1/me")).status_code == 204
    assert await told() == ["Deleted account: Is it still there?"]
    async with reading(market.context) as work:
        assert not [row for row in await work.rows(select(Notification.text)) if "buyer" in row[0]]


async def test_the_notice_of_a_deleted_message_keeps_nothing_of_it(market: Market) -> None:
    deal = await market.deal()
    room = f"/v1/chatrooms/{deal.room_id}"
    await done(deal.seller.put(f"{room}/read", {"seq": 100}))
    await say(market, deal.buyer, deal.room_id, "my secret")
    assert (await deal.buyer.delete(f"{room}/messages/2")).status_code == 204
    [notice] = await market.notices(deal.seller)
    assert (notice["event"], notice["text"]) == ("message_new", "This message was deleted.")
