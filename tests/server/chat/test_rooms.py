"""Opening rooms, the list of them, and what closes them (T1, rules 3, 6 and 15)."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from server.chat import api as chat
from server.chat.tables import Room
from server.listings.tables import Listing
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import transact
from shared_models.chat import ChatroomDetail
from shared_models.market import SAFETY_LINE
from tests.server.chat.conftest import OpenRoom, Sell, say
from tests.server.conftest import Person, SignUpPerson, problem


async def change_listing(context: Context, listing_id: UUID, **values: Any) -> None:
    statement = update(Listing).where(Listing.id == listing_id).values(**values)
    await transact(context, None, lambda work: work.execute(statement))


async def test_a_buyer_opens_a_room_and_finds_it_again(
    seller: Person, buyer: Person, listing: UUID
) -> None:
    first = await buyer.post("/v1/chatrooms", {"listing_id": str(listing)})
    again = await buyer.post("/v1/chatrooms", {"listing_id": str(listing)})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    room = ChatroomDetail.model_validate(first.json())
    assert (room.seller_id, room.buyer_id) == (seller.id, buyer.id)
    assert room.other.id == seller.id
    assert room.listing.id == listing
    assert room.listing.chat_count == 1
    assert {"send", "mute", "leave"} <= set(room.allowed_actions)


async def test_the_first_message_is_the_safety_line_caused_by_the_buyer(
    seller: Person, buyer: Person, room: str
) -> None:
    mine = (await buyer.get(f"/v1/chatrooms/{room}")).json()
    theirs = (await seller.get(f"/v1/chatrooms/{room}")).json()

    line = mine["last_message"]
    assert (line["seq"], line["kind"], line["text"]) == (1, "system", SAFETY_LINE)
    assert line["sender_id"] is None
    assert line["system"] == {"event": "safety", "actor_id": str(buyer.id), "data": {}}
    assert (mine["unread"], theirs["unread"]) == (0, 1)


async def test_the_seller_of_a_room_is_the_seller_of_its_listing_whatever_the_body_says(
    seller: Person, buyer: Person, stranger: Person, listing: UUID
) -> None:
    body = {"listing_id": str(listing), "seller_id": str(stranger.id), "buyer_id": str(seller.id)}
    room = (await buyer.post("/v1/chatrooms", body)).json()
    assert (room["seller_id"], room["buyer_id"]) == (str(seller.id), str(buyer.id))


async def test_opening_the_same_room_at_the_same_moment_makes_one(
    buyer: Person, listing: UUID
) -> None:
    answers = await asyncio.gather(
        *(buyer.post("/v1/chatrooms", {"listing_id": str(listing)}) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_nobody_chats_about_their_own_listing(seller: Person, listing: UUID) -> None:
    problem(await seller.post("/v1/chatrooms", {"listing_id": str(listing)}), 403, "own_listing")


@pytest.mark.parametrize("state", ["reserved", "sold"])
async def test_a_reserved_or_sold_listing_takes_no_new_room_but_keeps_the_old(
    context: Context,
    buyer: Person,
    stranger: Person,
    listing: UUID,
    open_room: OpenRoom,
    state: str,
) -> None:
    room = await open_room(buyer, listing)
    await change_listing(context, listing, state=state)

    refused = await stranger.post("/v1/chatrooms", {"listing_id": str(listing)})
    problem(refused, 409, "not_selling")
    assert await open_room(buyer, listing) == room


@pytest.mark.parametrize("mark", ["hidden_at", "removed_at", "deleted_at", "draft"])
async def test_a_listing_that_is_not_shown_is_not_there(
    context: Context, clock: MovableClock, buyer: Person, listing: UUID, mark: str
) -> None:
    values = {"state": "draft"} if mark == "draft" else {mark: clock.now()}
    await change_listing(context, listing, **values)
    problem(await buyer.post("/v1/chatrooms", {"listing_id": str(listing)}), 404, "not_found")
    problem(await buyer.post("/v1/chatrooms", {"listing_id": str(uuid4())}), 404, "not_found")


@pytest.mark.parametrize("blocker", ["seller", "buyer"])
async def test_blocked_pairs_open_no_room(
    seller: Person, buyer: Person, listing: UUID, blocker: str
) -> None:
    one, other = (seller, buyer) if blocker == "seller" else (buyer, seller)
    assert (await one.put(f"/v1/accounts/{other.id}/block")).status_code == 204
    problem(await buyer.post("/v1/chatrooms", {"listing_id": str(listing)}), 403, "blocked")


async def test_the_eleventh_room_of_an_hour_has_to_wait(
    context: Context, clock: MovableClock, sell: Sell, seller: Person, buyer: Person
) -> None:
    context.rates.enabled = True
    for _ in range(10):
        listing_id = str(await sell(seller))
        opened = await buyer.post("/v1/chatrooms", {"listing_id": listing_id})
        assert opened.status_code == 201
        clock.advance(timedelta(minutes=1))
    late = {"listing_id": str(await sell(seller))}

    refused = problem(await buyer.post("/v1/chatrooms", late), 429, "too_many_rooms")
    assert refused["retry_after_s"] == 50 * 60
    clock.advance(timedelta(minutes=50))
    assert (await buyer.post("/v1/chatrooms", late)).status_code == 201


async def test_the_list_has_the_newest_activity_first_and_pages_to_its_end(
    clock: MovableClock, sell: Sell, open_room: OpenRoom, seller: Person, buyer: Person
) -> None:
    rooms = []
    for _ in range(5):
        rooms.append(await open_room(buyer, await sell(seller)))
        clock.advance(timedelta(seconds=1))
    await say(buyer, rooms[0])
    wanted = [rooms[0], rooms[4], rooms[3], rooms[2], rooms[1]]

    for person in (buyer, seller):
        got: list[str] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            page = (await person.get("/v1/chatrooms", params=query)).json()
            got += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert got == wanted


async def test_a_cursor_of_somebody_else_is_refused(
    sell: Sell, open_room: OpenRoom, seller: Person, buyer: Person
) -> None:
    for _ in range(2):
        await open_room(buyer, await sell(seller))
    cursor = (await seller.get("/v1/chatrooms?limit=1")).json()["next_cursor"]
    taken = await buyer.get("/v1/chatrooms", params={"cursor": cursor})
    problem(taken, 400, "cursor_invalid")


async def test_a_page_of_rooms_costs_the_same_queries_whatever_it_holds(
    sign_up: SignUpPerson,
    sell: Sell,
    open_room: OpenRoom,
    seller: Person,
    count_queries: Callable[[], Any],
) -> None:
    counts = []
    for number in range(1, 7):
        await open_room(await sign_up(f"buyer_{number}"), await sell(seller))
        if number in (1, 6):
            with count_queries() as queries:
                page = await seller.get("/v1/chatrooms?limit=50")
            assert len(page.json()["items"]) == number
            counts.append(queries.count)
    assert counts[0] == counts[1] <= 5


async def test_a_stranger_gets_404_on_every_call_of_a_room(stranger: Person, room: str) -> None:
    path = f"/v1/chatrooms/{room}"
    cid = str(uuid4())
    for answer in [
        await stranger.get(path),
        await stranger.get(f"{path}/messages"),
        await stranger.get(f"{path}/messages?before=1"),
        await stranger.post(f"{path}/messages", {"cid": cid, "text": "hi"}),
        await stranger.delete(f"{path}/messages/1"),
        await stranger.put(f"{path}/read", {"seq": 1}),
        await stranger.put(f"{path}/mute"),
        await stranger.delete(f"{path}/mute"),
        await stranger.post(f"{path}/leave"),
    ]:
        problem(answer, 404, "not_found")


async def test_a_muted_room_still_counts_unread(seller: Person, buyer: Person, room: str) -> None:
    assert (await seller.put(f"/v1/chatrooms/{room}/mute")).status_code == 204
    await say(buyer, room)
    mine = (await seller.get(f"/v1/chatrooms/{room}")).json()
    theirs = (await buyer.get(f"/v1/chatrooms/{room}")).json()
    assert (mine["muted"], mine["unread"], theirs["muted"]) == (True, 2, False)
    assert (await seller.delete(f"/v1/chatrooms/{room}/mute")).status_code == 204
    assert (await seller.get(f"/v1/chatrooms/{room}")).json()["muted"] is False


async def test_a_left_room_comes_back_with_the_next_message_without_its_past(
    seller: Person, buyer: Person, room: str
) -> None:
    await say(buyer, room, "before")
    assert (await seller.post(f"/v1/chatrooms/{room}/leave")).status_code == 204
    assert (await seller.get("/v1/chatrooms")).json()["items"] == []
    assert len((await buyer.get("/v1/chatrooms")).json()["items"]) == 1

    await say(buyer, room, "after")
    [back] = (await seller.get("/v1/chatrooms")).json()["items"]
    assert (back["id"], back["unread"], back["left"]) == (room, 1, False)
    history = (await seller.get(f"/v1/chatrooms/{room}/messages")).json()
    assert [item["text"] for item in history["items"]] == ["after"]
    assert history["has_more_before"] is False


async def test_a_buyer_who_left_rejoins_by_opening_again(
    buyer: Person, room: str, listing: UUID, open_room: OpenRoom
) -> None:
    await buyer.post(f"/v1/chatrooms/{room}/leave")
    assert await open_room(buyer, listing) == room
    assert [item["id"] for item in (await buyer.get("/v1/chatrooms")).json()["items"]] == [room]


async def test_a_block_makes_the_room_read_only_for_both_until_it_is_taken_back(
    seller: Person, buyer: Person, room: str
) -> None:
    body = {"cid": str(uuid4()), "text": "hi"}
    await buyer.put(f"/v1/accounts/{seller.id}/block")
    for person in (seller, buyer):
        seen = (await person.get(f"/v1/chatrooms/{room}")).json()
        assert (seen["state"], "send" in seen["allowed_actions"]) == ("read_only", False)
        problem(await person.post(f"/v1/chatrooms/{room}/messages", body), 403, "blocked")
    await buyer.delete(f"/v1/accounts/{seller.id}/block")
    assert (await seller.post(f"/v1/chatrooms/{room}/messages", body)).status_code == 201


async def test_rooms_of_a_listing_close_and_open_together_but_for_one(
    context: Context,
    sign_up: SignUpPerson,
    listing: UUID,
    open_room: OpenRoom,
    buyer: Person,
    room: str,
) -> None:
    other = await sign_up("other_buyer")
    other_room = await open_room(other, listing)
    keep = UUID(room)
    await transact(context, None, lambda work: chat.close_rooms(work, listing, except_room_id=keep))
    body = {"cid": str(uuid4()), "text": "hi"}
    refused = await other.post(f"/v1/chatrooms/{other_room}/messages", body)
    problem(refused, 409, "room_read_only")
    await say(buyer, room)
    await transact(context, None, lambda work: chat.reopen_rooms(work, listing))
    assert (await other.post(f"/v1/chatrooms/{other_room}/messages", body)).status_code == 201


async def test_the_rooms_of_a_deleted_account_are_read_only_and_every_list_survives(
    seller: Person, buyer: Person, room: str
) -> None:
    await say(buyer, room)
    assert (await buyer.delete("/v1/me")).status_code == 204
    [left] = (await seller.get("/v1/chatrooms")).json()["items"]
    assert (left["state"], left["other"]["deleted"]) == ("read_only", True)
    history = (await seller.get(f"/v1/chatrooms/{room}/messages")).json()
    assert history["profiles"][str(buyer.id)]["deleted"] is True


async def test_a_deleted_listing_closes_its_rooms_and_stays_in_the_list(
    seller: Person, buyer: Person, room: str, listing: UUID
) -> None:
    assert (await seller.delete(f"/v1/listings/{listing}")).status_code == 204
    [kept] = (await buyer.get("/v1/chatrooms")).json()["items"]
    assert (kept["state"], kept["listing"]["deleted"]) == ("read_only", True)


async def test_a_profile_shows_how_a_seller_answers_from_five_rooms_on(
    context: Context,
    clock: MovableClock,
    sign_up: SignUpPerson,
    sell: Sell,
    open_room: OpenRoom,
    seller: Person,
    buyer: Person,
) -> None:
    async def figures() -> tuple[float | None, int | None]:
        profile = (await buyer.get(f"/v1/accounts/{seller.id}")).json()
        return profile["response_rate"], profile["response_minutes"]

    for number in range(5):
        asker = await sign_up(f"asker_{number}")
        room = await open_room(asker, await sell(seller))
        await say(asker, room)
        if number < 4:
            clock.advance(timedelta(minutes=10))
            await say(seller, room)
        if number == 3:
            assert await figures() == (None, None)
    assert await figures() == (None, None)
    clock.advance(timedelta(days=2))
    assert await figures() == (0.8, 10)


async def test_a_room_that_is_held_open_while_its_listing_is_reserved_still_takes_messages(
    context: Context, buyer: Person, room: str, listing: UUID
) -> None:
    await change_listing(context, listing, state="reserved")
    assert (await say(buyer, room))["seq"] == 2
    statement = update(Room).where(Room.id == UUID(room)).values(state="read_only")
    await transact(context, None, lambda work: work.execute(statement))
    body = {"cid": str(uuid4()), "text": "hi"}
    refused = await buyer.post(f"/v1/chatrooms/{room}/messages", body)
    problem(refused, 409, "room_read_only")
