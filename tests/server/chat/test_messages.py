"""Sending, reading and deleting messages (rules 1, 7, 15 and 18)."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from server.chat import api as chat
from server.chat.tables import Member, Message, Room
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.rates import RateLimiter
from server.platform.unit_of_work import reading, transact
from tests.server.chat.conftest import OpenRoom, Sell, Upload1, message, say
from tests.server.conftest import Person, problem
from tests.server.media.uploading import make_photo, objects_of, run_jobs


async def unread_recount(context: Context, room: str, account_id: UUID) -> tuple[int, int]:
    """The stored unread count of a member, and the one its messages say."""
    async with reading(context) as work:
        member = await work.first(
            select(Member.read_seq, Member.unread).where(
                Member.room_id == UUID(room), Member.account_id == account_id
            )
        )
        assert member is not None
        counted = await work.scalar(
            select(func.count()).where(
                Message.room_id == UUID(room),
                Message.seq > member.read_seq,
                Message.actor_id.is_distinct_from(account_id),
            )
        )
        return member.unread, counted


async def test_a_message_reaches_the_history_and_both_lists(
    seller: Person, buyer: Person, room: str
) -> None:
    sent = await say(buyer, room, "안녕하세요")
    assert (sent["seq"], sent["sender_id"], sent["kind"]) == (2, str(buyer.id), "text")
    for person, unread in ((seller, 2), (buyer, 0)):
        [listed] = (await person.get("/v1/chatrooms")).json()["items"]
        assert listed["last_message"] == sent
        assert (listed["last_seq"], listed["unread"]) == (2, unread)
        history = (await person.get(f"/v1/chatrooms/{room}/messages")).json()
        assert history["items"][-1] == sent


async def test_the_sender_is_who_the_token_says_and_system_messages_cannot_be_forged(
    seller: Person, buyer: Person, room: str
) -> None:
    forged = message(
        "Trade completed",
        sender_id=str(seller.id),
        kind="system",
        system={"event": "trade_completed", "actor_id": None, "data": {}},
        seq=99,
        created_at="2020-01-01T00:00:00Z",
    )
    sent = (await buyer.post(f"/v1/chatrooms/{room}/messages", forged)).json()
    assert (sent["sender_id"], sent["kind"], sent["system"]) == (str(buyer.id), "text", None)
    assert sent["seq"] == 2


async def test_the_same_cid_again_is_the_first_message_and_another_body_is_refused(
    buyer: Person, seller: Person, room: str, sell: Sell, open_room: OpenRoom
) -> None:
    path, body = f"/v1/chatrooms/{room}/messages", message("once")
    first, again = await buyer.post(path, body), await buyer.post(path, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()

    problem(await buyer.post(path, body | {"text": "twice"}), 422, "cid_conflict")
    elsewhere = await open_room(buyer, await sell(seller))
    refused = await buyer.post(f"/v1/chatrooms/{elsewhere}/messages", body)
    problem(refused, 422, "cid_conflict")
    theirs = await seller.post(path, body)
    assert (theirs.status_code, theirs.json()["seq"]) == (201, 3)


async def test_a_resend_is_answered_even_when_the_room_has_closed_meanwhile(
    context: Context, buyer: Person, room: str, listing: UUID
) -> None:
    path, body = f"/v1/chatrooms/{room}/messages", message("once")
    assert (await buyer.post(path, body)).status_code == 201
    await transact(context, None, lambda work: chat.close_rooms(work, listing))
    assert (await buyer.post(path, body)).status_code == 200


@pytest.mark.parametrize("with_photo", [False, True])
async def test_the_same_cid_at_the_same_moment_is_one_message(
    buyer: Person, room: str, upload: Upload1, with_photo: bool
) -> None:
    photos = [await upload(buyer)] if with_photo else []
    body = message("at once", photo_ids=photos)
    path = f"/v1/chatrooms/{room}/messages"
    answers = await asyncio.gather(*(buyer.post(path, body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["seq"] == 2


async def test_one_cid_with_two_bodies_at_the_same_moment_is_one_message_and_a_refusal(
    buyer: Person, room: str
) -> None:
    body, path = message("a"), f"/v1/chatrooms/{room}/messages"
    answers = await asyncio.gather(buyer.post(path, body), buyer.post(path, body | {"text": "b"}))
    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_seq_has_no_hole_when_both_sides_write_at_once(
    context: Context, seller: Person, buyer: Person, room: str
) -> None:
    sends = [say(person, room, str(n)) for n in range(10) for person in (seller, buyer)]
    seqs = sorted(sent["seq"] for sent in await asyncio.gather(*sends))
    assert seqs == list(range(2, 22))
    for person in (seller, buyer):
        stored, counted = await unread_recount(context, room, person.id)
        assert stored == counted


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": ""}, "invalid"),
        ({"text": " \n "}, "invalid"),
        ({"text": "\u202e\u200b"}, "invalid"),
        ({"text": "x" * 2001}, "invalid"),
        ({"text": "x", "cid": "not-a-uuid"}, "invalid"),
        ({"text": "x", "photo_ids": [str(uuid4())] * 4}, "invalid"),
        ({"text": 5}, "invalid"),
    ],
)
async def test_a_malformed_message_is_refused(
    buyer: Person, room: str, body: dict[str, Any], code: str
) -> None:
    answer = await buyer.post(f"/v1/chatrooms/{room}/messages", {"cid": str(uuid4()), **body})
    problem(answer, 422, code)


async def test_a_text_of_2000_code_points_is_taken_and_cleaned(buyer: Person, room: str) -> None:
    assert (await say(buyer, room, "가" * 2000))["text"] == "가" * 2000
    assert (await say(buyer, room, "a\u202eb\x1b[31mc\r\nd"))["text"] == "abc\nd"


async def test_a_photo_goes_with_one_message(
    seller: Person, buyer: Person, room: str, upload: Upload1
) -> None:
    photo = await upload(buyer)
    sent = await say(buyer, room, "", photo_ids=[photo])
    assert (sent["kind"], [item["id"] for item in sent["photos"]]) == ("photo", [photo])

    path = f"/v1/chatrooms/{room}/messages"
    taken = await buyer.post(path, message("again", photo_ids=[photo]))
    problem(taken, 409, "photo_in_use")
    not_mine = await seller.post(path, message("x", photo_ids=[await upload(buyer)]))
    problem(not_mine, 422, "photo_unknown")
    unready = await upload(buyer, state="processing")
    problem(await buyer.post(path, message("x", photo_ids=[unready])), 409, "photo_not_ready")
    assert (await buyer.get(f"/v1/chatrooms/{room}")).json()["last_seq"] == 2


async def test_photos_of_a_message_are_for_the_two_until_it_is_deleted(
    seller: Person, buyer: Person, stranger: Person, room: str, upload: Upload1
) -> None:
    photo = await upload(buyer)
    sent = await say(buyer, room, "look", photo_ids=[photo])
    path = f"/v1/photos/{photo}/thumb"
    assert (await seller.get(path)).status_code == 302
    problem(await stranger.get(path), 404, "not_found")
    await buyer.delete(f"/v1/chatrooms/{room}/messages/{sent['seq']}")
    problem(await seller.get(path), 404, "not_found")


async def test_photos_of_a_deleted_message_leave_the_store(
    context: Context, buyer: Person, room: str
) -> None:
    first, second = [await make_photo(buyer, context, purpose="message") for _ in range(2)]
    gone = await say(buyer, room, "look", photo_ids=[first["id"]])
    await say(buyer, room, "and here", photo_ids=[second["id"]])
    path = f"/v1/chatrooms/{room}/messages"
    assert (await buyer.delete(f"{path}/{gone['seq']}")).status_code == 204
    await run_jobs(context)
    assert await objects_of(context, first["id"]) == set()
    assert await objects_of(context, second["id"]) == {"thumb.jpg", "full.jpg"}
    [tombstone, kept] = (await buyer.get(path)).json()["items"][-2:]
    assert (tombstone["photos"], len(kept["photos"])) == ([], 1)


async def test_a_link_is_refused_between_strangers_and_warned_of_later(
    clock: MovableClock, seller: Person, buyer: Person, room: str
) -> None:
    path, link = f"/v1/chatrooms/{room}/messages", "see evil.com"
    refused = problem(await buyer.post(path, message(link)), 422, "message_blocked")
    assert refused["errors"][0]["field"] == "text"
    problem(await buyer.post(path, message(link, confirmed=True)), 422, "message_blocked")

    clock.advance(timedelta(days=8))
    for number in range(9):
        await say(buyer, room, str(number))
    body = message(link)
    problem(await buyer.post(path, body), 409, "confirm_needed")
    sent = await buyer.post(path, body | {"confirmed": True})
    assert (sent.status_code, sent.json()["warning"]) == (201, None)
    seen = (await seller.get(path)).json()["items"][-1]
    assert (seen["text"], seen["warning"]["code"]) == (link, "link")
    assert seen["warning"]["text"]


async def test_a_phone_number_needs_the_senders_confirmation(
    seller: Person, buyer: Person, room: str
) -> None:
    path, body = f"/v1/chatrooms/{room}/messages", message("010-1234-5678 로 전화 주세요")
    refused = problem(await buyer.post(path, body), 409, "confirm_needed")
    assert refused["current"] == {"code": "phone"}
    assert (await buyer.post(path, body | {"confirmed": True})).status_code == 201
    assert (await buyer.post(path, body)).status_code == 200


async def test_the_sixteenth_message_of_a_burst_has_to_wait(
    context: Context, buyer: Person, room: str
) -> None:
    now = [0.0]
    object.__setattr__(context, "rates", RateLimiter(lambda: now[0]))
    path = f"/v1/chatrooms/{room}/messages"
    for number in range(15):
        await say(buyer, room, str(number))
    refused = problem(await buyer.post(path, message("sixteenth")), 429, "rate_limited")
    now[0] += refused["retry_after_s"]
    await say(buyer, room, "sixteenth")


async def test_read_marks_only_rise_and_recount_what_is_unread(
    context: Context, seller: Person, buyer: Person, room: str
) -> None:
    for text in "abc":
        await say(buyer, room, text)
    await say(seller, room, "mine")
    path = f"/v1/chatrooms/{room}/read"

    async def read(seq: int) -> tuple[int, int]:
        mark = (await seller.put(path, {"seq": seq})).json()
        stored, counted = await unread_recount(context, room, seller.id)
        assert mark["unread"] == stored == counted
        return mark["seq"], mark["unread"]

    assert await read(2) == (2, 2)
    assert await read(1) == (2, 2)
    assert await read(2**53) == (5, 0)
    assert (await buyer.get(f"/v1/chatrooms/{room}")).json()["peer_read_seq"] == 5
    problem(await seller.put(path, {"seq": -1}), 422, "invalid")
    problem(await seller.put(path, {"seq": "5"}), 422, "invalid")


async def test_a_system_line_counts_for_all_but_who_caused_it(
    context: Context, seller: Person, buyer: Person, room: str
) -> None:
    async def post(actor: Person | None) -> None:
        await transact(
            context,
            None,
            lambda work: chat.post_system(
                work,
                UUID(room),
                event="trade_reserved",
                actor_id=actor.id if actor else None,
                text="Reserved.",
                data={"price": 1},
            ),
        )

    async def unread() -> tuple[int, int]:
        rooms = [(await person.get(f"/v1/chatrooms/{room}")).json() for person in (seller, buyer)]
        return rooms[0]["unread"], rooms[1]["unread"]

    assert await unread() == (1, 0)
    await post(seller)
    assert await unread() == (1, 1)
    await post(None)
    assert await unread() == (2, 2)
    for person in (seller, buyer):
        stored, counted = await unread_recount(context, room, person.id)
        assert stored == counted


async def test_blocked_pairs_exchange_no_receipts(seller: Person, buyer: Person, room: str) -> None:
    await say(buyer, room)
    await buyer.put(f"/v1/accounts/{seller.id}/block")
    await seller.put(f"/v1/chatrooms/{room}/read", {"seq": 2})
    assert (await buyer.get(f"/v1/chatrooms/{room}")).json()["peer_read_seq"] == 0
    assert (await seller.get(f"/v1/chatrooms/{room}")).json()["read_seq"] == 2


async def test_a_message_can_be_deleted_by_its_sender_within_five_minutes(
    clock: MovableClock, seller: Person, buyer: Person, room: str
) -> None:
    await say(buyer, room, "oops")
    path = f"/v1/chatrooms/{room}/messages"
    problem(await seller.delete(f"{path}/2"), 403, "not_yours")
    problem(await buyer.delete(f"{path}/1"), 403, "not_yours")
    problem(await buyer.delete(f"{path}/99"), 404, "not_found")
    assert (await buyer.delete(f"{path}/2")).status_code == 204
    assert (await buyer.delete(f"{path}/2")).status_code == 204
    tombstone = (await seller.get(path)).json()["items"][-1]
    assert (tombstone["seq"], tombstone["deleted"], tombstone["text"]) == (2, True, "")

    await say(buyer, room, "stays")
    clock.advance(timedelta(minutes=5))
    problem(await buyer.delete(f"{path}/3"), 409, "too_late")


async def test_a_line_elsewhere_goes_to_the_other_open_rooms_only(
    context: Context,
    sign_up: Callable[..., Any],
    seller: Person,
    listing: UUID,
    room: str,
    open_room: OpenRoom,
) -> None:
    others = [await open_room(await sign_up(f"other_{n}"), listing) for n in range(3)]
    await transact(
        context,
        None,
        lambda work: chat.post_elsewhere(
            work,
            listing,
            except_room_id=UUID(room),
            event="listing_reserved",
            actor_id=seller.id,
            text="It is reserved now.",
            data={},
        ),
    )
    rooms = {item["id"]: item for item in (await seller.get("/v1/chatrooms")).json()["items"]}
    assert rooms[room]["last_seq"] == 1
    for other in others:
        assert rooms[other]["last_message"]["system"]["event"] == "listing_reserved"
        assert (rooms[other]["last_seq"], rooms[other]["unread"]) == (2, 1)


async def test_imported_history_keeps_every_counter_right(
    context: Context, clock: MovableClock, seller: Person, buyer: Person, room: str
) -> None:
    items = [
        chat.ImportedMessage((seller, buyer)[n % 2].id, f"m{n}", clock.now() + timedelta(n))
        for n in range(25)
    ]
    await transact(
        context, None, lambda work: chat.import_messages(work, UUID(room), items, unread=5)
    )
    for person in (seller, buyer):
        stored, counted = await unread_recount(context, room, person.id)
        assert stored == counted
        [listed] = (await person.get("/v1/chatrooms")).json()["items"]
        assert (listed["last_seq"], listed["last_message"]["text"]) == (26, "m24")
    assert (await say(buyer, room))["seq"] == 27
    async with reading(context) as work:
        facts = await work.first(
            select(Room.last_seq, Room.asked_at, Room.answered_at).where(Room.id == UUID(room))
        )
    assert facts == (27, clock.now() + timedelta(1), clock.now() + timedelta(2))


async def test_a_send_takes_few_statements_however_long_the_room_is(
    buyer: Person, seller: Person, room: str, count_queries: Callable[[], Any]
) -> None:
    counts = set()
    for _ in range(3):
        with count_queries() as queries:
            await say(buyer, room)
        counts.add(queries.count)
    assert len(counts) == 1
    # Authentication, then: look, block, seq, message, members, two streams, events.
    assert counts.pop() <= 9
