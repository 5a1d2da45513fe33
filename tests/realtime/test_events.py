"""Both sequences, commands and their answers, and who hears of what (R1 to R6)."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.chat import api as chat
from server.chat.events import RoomChanged
from server.listings import api as listings
from server.notifications import api as notifications
from server.notifications.api import Notice
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, transact
from server.realtime.node import RealtimeNode
from shared_models.chat import ChatroomDetail, Message, ReadMark
from shared_models.listings import ListingCard
from shared_models.notifications import NotificationKind
from shared_models.realtime import Event, Ok, server_frame
from tests.realtime.conftest import Connect, Device, Person
from tests.server.chat.conftest import OpenRoom, Upload1, say


async def gathered(device: Device, count: int) -> list[dict[str, Any]]:
    """The device's events once it has so many."""
    while len(device.events) < count:
        await device.hear()
    return device.events


async def test_a_message_is_answered_and_reaches_every_device_of_both(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    sending, other, theirs = await join(buyer), await join(buyer), await join(seller)
    ok = Ok.model_validate(await sending.send(room, "안녕하세요"))
    assert (ok.seq, ok.duplicate) == (2, False)

    heard = [await device.event("message.new") for device in (other, theirs)]
    shown = [Message.model_validate(data) for data in heard]
    shown.append(Message.model_validate(await sending.seen("message.new")))
    assert shown[0] == shown[1] == shown[2]
    assert (shown[0].id, shown[0].seq, shown[0].cid) == (ok.message_id, ok.seq, ok.cid)
    assert (shown[0].text, shown[0].sender_id) == ("안녕하세요", buyer.id)
    history = (await seller.get(f"/v1/chatrooms/{room}/messages")).json()["items"]
    assert Message.model_validate(history[-1]) == shown[0]


async def test_positions_rise_by_one_and_seqs_follow_them(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    one, two = await join(buyer), await join(seller)
    await asyncio.gather(
        *(
            device.socket.send(
                f'{{"t":"send","id":"{n}","cid":"{uuid4()}","chatroom_id":"{room}","text":"{n}"}}'
            )
            for n in range(10)
            for device in (one, two)
        )
    )
    for device in (one, two):
        while [e["kind"] for e in device.events].count("message.new") < 20:
            await device.hear()
        start = device.welcome["pos"]
        assert device.positions == list(range(start + 1, start + 1 + len(device.events)))
        seqs = [e["data"]["seq"] for e in device.events if e["kind"] == "message.new"]
        assert seqs == list(range(2, 22))


async def test_notices_read_on_one_device_are_read_on_the_others(
    join: Connect, context: Context, seller: Person
) -> None:
    one, other = await join(seller), await join(seller)

    async def tell(work: UnitOfWork) -> None:
        for key in "ab":
            notice = Notice(NotificationKind.SYSTEM, "news", "News.", key)
            await notifications.notify(work, [seller.id], notice)

    await transact(context, None, tell)
    notices = (await seller.get("/v1/notifications")).json()["items"]
    oldest = notices[-1]["id"]
    for _ in range(2):
        await seller.put("/v1/notifications/read", {"up_to_id": oldest})
    for device in (one, other):
        assert await device.event("notification.read") == {
            "up_to_id": oldest,
            "unread": 1,
            "chatroom_id": None,
        }
        kinds = [event["kind"] for event in device.events]
        assert kinds == ["notification.new", "notification.new", "notification.read"]


async def test_answers_come_in_the_order_of_the_commands(
    join: Connect, buyer: Person, room: str
) -> None:
    device = await join(buyer)
    for n in range(16):
        text = "" if n == 7 else str(n)
        cid = str(uuid4())
        await device.say("send", id=f"s{n}", cid=cid, chatroom_id=room, text=text)
    answers: list[str] = []
    while len(answers) < 16:
        frame = await device.hear()
        if frame["t"] in ("ok", "err") and frame["id"] != "s7":
            answers.append(frame["id"])
        elif frame["t"] == "err":
            refused = frame
            answers.append(frame["id"])
    in_order = [answer for answer in answers if answer != "s7"]
    assert in_order == [f"s{n}" for n in range(16) if n != 7]
    assert (refused["code"], refused["retryable"]) == ("invalid", False)


async def test_a_lost_answer_and_a_resend_are_one_message(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    theirs, first = await join(seller), await join(buyer)
    body = {"cid": str(uuid4()), "chatroom_id": room, "text": "once"}
    await first.say("send", id="a", **body)
    await theirs.event("message.new")
    await first.socket.close()

    again = await join(buyer)
    await again.say("send", id="b", **body)
    ok = await again.until("ok", id="b")
    assert (ok["seq"], ok["duplicate"]) == (2, True)
    await again.say("send", id="c", **{**body, "text": "twice"})
    assert (await again.until("err", id="c"))["code"] == "cid_conflict"
    assert (await again.send(room, "next"))["seq"] == 3


async def test_the_same_cid_from_two_devices_at_the_same_moment_is_one_message(
    join: Connect, buyer: Person, room: str
) -> None:
    devices = [await join(buyer) for _ in range(4)]
    cid = str(uuid4())
    oks = await asyncio.gather(*(device.send(room, "hello", cid=cid) for device in devices))
    assert len({ok["message_id"] for ok in oks}) == 1
    assert sorted(ok["duplicate"] for ok in oks) == [False, True, True, True]


async def test_sender_and_kind_of_a_frame_are_ignored(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    theirs, mine = await join(seller), await join(buyer)
    await mine.send(room, "Sold!", sender_id=str(seller.id), kind="system", system={"event": "x"})
    shown = await theirs.event("message.new")
    assert (shown["sender_id"], shown["kind"], shown["system"]) == (str(buyer.id), "text", None)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"t":"dance"}', "bad_frame"),
        ("{}", "bad_frame"),
        ("not json", "bad_frame"),
        ('"text"', "bad_frame"),
        ("[" * 5000, "bad_frame"),
        ('{"t":"\\ud800"}', "bad_frame"),
        ('{"t":"send","id":"\\ud800"}', "bad_frame"),
        ('{"t":"' + "x" * 30_000 + '"}', "bad_frame"),
        ('{"t":"read","chatroom_id":"x","seq":1}', "bad_frame"),
        ('{"t":"typing","chatroom_id":"018f0000-0000-7000-8000-000000000000"}', "bad_frame"),
        ('{"t":"read","chatroom_id":"018f0000-0000-7000-8000-000000000000","seq":1}', "not_found"),
        ('{"t":"open","chatroom_id":"018f0000-0000-7000-8000-000000000000"}', "not_found"),
    ],
)
async def test_a_frame_that_makes_no_sense_is_answered_and_the_talk_goes_on(
    join: Connect, buyer: Person, room: str, frame: str, code: str
) -> None:
    device = await join(buyer)
    await device.socket.send(frame)
    refused = await device.until("err")
    assert (refused["code"], refused["id"]) == (code, None)
    assert (await device.send(room))["seq"] == 2


async def test_a_stranger_can_do_nothing_in_a_room(
    join: Connect, buyer: Person, stranger: Person, room: str
) -> None:
    theirs, mine = await join(stranger), await join(buyer)
    await theirs.say("send", id="s", cid=str(uuid4()), chatroom_id=room, text="hi")
    assert (await theirs.until("err", id="s"))["code"] == "not_found"
    typing: tuple[str, dict[str, Any]] = ("typing", {"on": True})
    for t, fields in (("read", {"seq": 1}), typing, typing, ("open", {})):
        await theirs.say(t, chatroom_id=room, **fields)
        assert (await theirs.until("err"))["code"] == "not_found"
    await mine.send(room)
    assert {event["kind"] for event in mine.events} <= {"message.new"}


async def test_photos_travel_by_frame(
    join: Connect, seller: Person, buyer: Person, room: str, upload: Upload1
) -> None:
    theirs, mine = await join(seller), await join(buyer)
    photo = await upload(buyer)
    await mine.send(room, "", photo_ids=[photo])
    assert [item["id"] for item in (await theirs.event("message.new"))["photos"]] == [photo]
    body = {"cid": str(uuid4()), "chatroom_id": room, "photo_ids": [photo]}
    await mine.say("send", id="again", **body)
    assert (await mine.until("err", id="again"))["code"] == "photo_in_use"


async def test_a_read_mark_reaches_both_sides_and_the_readers_other_devices(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    await say(buyer, room)
    devices = [await join(seller), await join(seller), await join(buyer)]
    await devices[0].say("read", chatroom_id=room, seq=2)
    for device in devices:
        mark = ReadMark.model_validate(await device.event("chatroom.read"))
        assert (mark.account_id, mark.seq, mark.unread) == (seller.id, 2, 0)
    await devices[0].say("read", chatroom_id=room, seq=1)
    await devices[0].send(room)
    await devices[0].seen("message.new")
    assert [event["kind"] for event in devices[0].events] == ["chatroom.read", "message.new"]


async def test_typing_reaches_the_other_side_once_in_three_seconds(
    join: Connect,
    node: RealtimeNode,
    seller: Person,
    buyer: Person,
    room: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(node.gateway, "_monotonic", lambda: 0.0)
    theirs, mine = await join(seller), await join(buyer)
    for on in (True, True, False, False, True, False, True):
        await mine.say("typing", chatroom_id=room, on=on)
    await mine.send(room)
    heard = []
    while (frame := await theirs.hear())["t"] != "event":
        heard.append(frame)
    assert [(frame["kind"], frame["data"]["on"]) for frame in heard] == [
        ("typing", True),
        ("typing", False),
    ]
    assert heard[0]["data"]["account_id"] == str(buyer.id)
    assert (heard[0]["ttl_ms"], heard[0]["chatroom_id"]) == (6000, room)


async def test_a_block_ends_typing_and_receipts(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    theirs, mine = await join(seller), await join(buyer)
    await seller.put(f"/v1/accounts/{buyer.id}/block")
    assert (await mine.event("chatroom.changed"))["state"] == "read_only"
    await mine.say("typing", chatroom_id=room, on=True)
    await mine.say("read", chatroom_id=room, seq=1)
    await mine.say("send", id="s", cid=str(uuid4()), chatroom_id=room, text="hi")
    assert (await mine.until("err", id="s"))["code"] == "blocked"
    await seller.delete(f"/v1/accounts/{buyer.id}/block")
    heard = [await theirs.hear(), await theirs.hear()]
    assert [frame.get("kind") for frame in heard] == ["chatroom.changed"] * 2


async def test_an_opened_room_is_announced_whole_after_its_first_message(
    join: Connect, seller: Person, buyer: Person, listing: UUID, open_room: OpenRoom
) -> None:
    theirs = await join(seller)
    room = await open_room(buyer, listing)
    changed = ChatroomDetail.model_validate(await theirs.event("chatroom.changed"))
    assert str(changed.id) == room
    assert changed == ChatroomDetail.model_validate(
        (await seller.get(f"/v1/chatrooms/{room}")).json()
    )
    kinds = [event["kind"] for event in theirs.events]
    assert kinds.index("message.new") < kinds.index("chatroom.changed")


async def test_a_listing_change_reaches_its_seller_and_everybody_with_a_room_on_it(
    join: Connect,
    context: Context,
    seller: Person,
    buyer: Person,
    stranger: Person,
    room: str,
    listing: UUID,
) -> None:
    assert (await buyer.put(f"/v1/listings/{listing}/like")).status_code == 204
    mine, theirs, nobody = await join(seller), await join(buyer), await join(stranger)

    async def reserve(work: UnitOfWork) -> None:
        assert await listings.reserve(work, listing, 80_000)

    await transact(context, None, reserve)
    cards = [
        ListingCard.model_validate(await device.event("listing.changed"))
        for device in (mine, theirs)
    ]
    assert [card.state for card in cards] == ["reserved", "reserved"]
    assert [card.liked for card in cards] == [False, True]
    await nobody.say("nothing")
    await nobody.until("err")
    assert nobody.events == []


async def test_an_account_hears_of_its_own_changes(join: Connect, buyer: Person) -> None:
    device = await join(buyer)
    await buyer.patch("/v1/me", {"display_name": "새 이름"})
    assert (await device.event("account.changed"))["display_name"] == "새 이름"


async def test_what_changes_twice_in_a_transaction_is_sent_once(
    join: Connect, context: Context, seller: Person, buyer: Person, room: str
) -> None:
    device = await join(buyer)

    async def change(work: UnitOfWork) -> None:
        for _ in range(3):
            work.announce(RoomChanged(UUID(room), seller.id, buyer.id, (buyer.id,)))
        for text in ("first", "second"):
            await chat.post_system(
                work, UUID(room), event="note", actor_id=None, text=text, data={}
            )

    await transact(context, None, change)
    await device.event("chatroom.changed")
    kinds = [event["kind"] for event in device.events if event["kind"] != "notification.new"]
    assert kinds == ["message.new", "message.new", "chatroom.changed"]
    assert device.events[-1]["data"]["last_message"]["text"] == "second"


async def test_a_deleted_message_is_a_tombstone_for_both(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    sent = await say(buyer, room, "oops")
    device = await join(seller)
    await buyer.delete(f"/v1/chatrooms/{room}/messages/{sent['seq']}")
    gone = Message.model_validate(await device.event("message.deleted"))
    assert (gone.seq, gone.deleted, gone.text) == (sent["seq"], True, "")


async def test_a_warning_is_for_the_reader_only(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    theirs, mine = await join(seller), await join(buyer)
    await mine.say("send", id="a", cid=str(uuid4()), chatroom_id=room, text="010-1234-5678")
    refused = await mine.until("err", id="a")
    assert (refused["code"], refused["retryable"]) == ("confirm_needed", False)
    await mine.send(room, "010-1234-5678", confirmed=True)
    assert (await theirs.event("message.new"))["warning"]["code"] == "phone"
    assert (await mine.seen("message.new"))["warning"] is None


async def test_every_frame_is_one_of_the_contract(
    join: Connect, seller: Person, buyer: Person, room: str
) -> None:
    device = await join(buyer)
    await device.send(room)
    await say(seller, room)
    await device.say("nothing")
    frames = [device.welcome, await device.until("err"), *(await gathered(device, 2))]
    for frame in frames:
        parsed = server_frame.validate_python(frame)
        assert parsed.t == frame["t"]
    assert all(isinstance(server_frame.validate_python(frame), Event) for frame in frames[2:])
