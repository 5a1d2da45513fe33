"""From any position to live, without a gap and without a double: resume and reset."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, update

from server.platform import streams
from server.platform.bus import Hint
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.tables import Stream, StreamEvent
from server.platform.unit_of_work import UnitOfWork, reading, transact
from server.realtime.jobs import trim_streams
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from tests.realtime.conftest import Connect, Device, Person
from tests.realtime.filling import add_events, place
from tests.server.chat.conftest import say


async def caught_up(device: Device, pos: int) -> list[int]:
    """All positions the device has got, once it has this one."""
    while not device.events or device.positions[-1] < pos:
        await device.hear()
    return device.positions


async def test_a_client_that_missed_nothing_resumes_at_once(
    join: Connect, context: Context, buyer: Person
) -> None:
    here = await place(context, buyer.id)
    device = await join(buyer, here)
    assert (device.welcome["resumed"], device.welcome["pos"]) == (True, here["pos"])


async def test_a_client_gets_what_it_missed_and_then_what_happens(
    join: Connect, context: Context, seller: Person, buyer: Person, room: str
) -> None:
    here = await place(context, seller.id)
    for number in range(5):
        await say(buyer, room, str(number))
    device = await join(seller, here)
    assert device.welcome["resumed"] is True
    batch = await device.until("batch")
    assert batch["more"] is False
    await say(buyer, room, "live")
    await device.event("message.new")
    texts = [e["data"]["text"] for e in device.events if e["kind"] == "message.new"]
    assert texts == ["0", "1", "2", "3", "4", "live"]
    first = here["pos"] + 1
    assert device.positions == list(range(first, first + len(device.events)))


async def test_catching_up_comes_in_batches_of_at_most_200(
    join: Connect, context: Context, buyer: Person
) -> None:
    here = await place(context, buyer.id)
    await add_events(context, buyer.id, 450, at_once=450)
    device = await join(buyer, here)
    batches = [await device.until("batch") for _ in range(3)]
    assert [len(batch["events"]) for batch in batches] == [200, 200, 50]
    assert [batch["more"] for batch in batches] == [True, True, False]
    assert device.positions == list(range(here["pos"] + 1, here["pos"] + 451))


async def test_a_batch_has_at_most_256_kib(join: Connect, context: Context, buyer: Person) -> None:
    here = await place(context, buyer.id)
    await add_events(context, buyer.id, 40, size=20_000, at_once=40)
    device = await join(buyer, here)
    await caught_up(device, here["pos"] + 40)
    assert device.positions == list(range(here["pos"] + 1, here["pos"] + 41))
    device = await join(buyer, here)
    text = await device.socket.recv()
    assert len(text) <= 256 * 1024 + 1000


@pytest.mark.parametrize("wrong", ["epoch", "no epoch", "ahead"])
async def test_another_epoch_or_a_position_ahead_is_reset(
    join: Connect, context: Context, seller: Person, buyer: Person, room: str, wrong: str
) -> None:
    hello = await place(context, seller.id)
    if wrong == "ahead":
        hello["pos"] += 1
    else:
        hello["epoch"] = str(uuid4()) if wrong == "epoch" else None
    device = await join(seller)
    await device.socket.close()
    device = await reset_and_live(join, context, seller, hello, "epoch")
    await say(buyer, room)
    await device.event("message.new")
    assert device.positions[0] == device.welcome["pos"] + 1


async def reset_and_live(
    join: Connect, context: Context, person: Person, hello: dict[str, Any], reason: str
) -> Device:
    """Join where a reset must come first, then a welcome that is live from the head."""
    frames: list[dict[str, Any]] = []
    hear = Device.hear

    async def noting(device: Device) -> dict[str, Any]:
        frames.append(await hear(device))
        return frames[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Device, "hear", noting)
        device = await join(person, hello)
    assert [frame["t"] for frame in frames] == ["reset", "welcome"]
    assert frames[0]["reason"] == reason
    head = (await place(context, person.id))["pos"]
    assert (device.welcome["resumed"], device.welcome["pos"]) == (False, head)
    return device


async def test_more_than_1000_behind_is_too_far_and_exactly_1000_is_not(
    join: Connect, context: Context, buyer: Person
) -> None:
    here = await place(context, buyer.id)
    await add_events(context, buyer.id, 1000)
    device = await join(buyer, here)
    assert device.welcome["resumed"] is True
    assert await caught_up(device, here["pos"] + 1000) == list(
        range(here["pos"] + 1, here["pos"] + 1001)
    )
    await add_events(context, buyer.id, 1)
    await reset_and_live(join, context, buyer, here, "too_far")


async def test_what_is_no_longer_kept_is_too_old(
    join: Connect, context: Context, clock: MovableClock, buyer: Person
) -> None:
    start = await place(context, buyer.id)
    await add_events(context, buyer.id, 100, at_once=100)
    clock.advance(timedelta(days=8))
    await add_events(context, buyer.id, 2500)
    await trim_streams(context, {})
    async with reading(context) as work:
        position = await streams.position(work, buyer.id)
        kept = await streams.read_after(work, buyer.id, 0, 1)
    assert position.oldest == kept[0].pos == start["pos"] + 101
    await trim_streams(context, {})
    await reset_and_live(join, context, buyer, start, "too_old")


async def test_young_events_are_kept_and_old_ones_are_not_however_few(
    join: Connect, context: Context, clock: MovableClock, buyer: Person
) -> None:
    await add_events(context, buyer.id, 2500)
    await trim_streams(context, {})
    async with reading(context) as work:
        assert (await streams.position(work, buyer.id)).oldest == 1
    clock.advance(timedelta(days=6))
    await add_events(context, buyer.id, 3)
    clock.advance(timedelta(days=2))
    await trim_streams(context, {})
    async with reading(context) as work:
        position = await streams.position(work, buyer.id)
    assert position.head - position.oldest + 1 == 3
    clock.advance(timedelta(days=6))
    here = await place(context, buyer.id)
    await trim_streams(context, {})
    async with reading(context) as work:
        assert await streams.read_after(work, buyer.id, 0, 10) == []
    device = await join(buyer, here)
    assert device.welcome["resumed"] is True


async def test_a_deleted_message_is_a_tombstone_to_who_resumes(
    join: Connect, context: Context, seller: Person, buyer: Person, room: str
) -> None:
    await seller.put(f"/v1/chatrooms/{room}/read", {"seq": 100})
    here = {person: await place(context, person.id) for person in (seller, buyer)}
    gone = await say(buyer, room, "my secret")
    for person in (seller, buyer):
        await person.put(f"/v1/chatrooms/{room}/mute")
    kept = await say(buyer, room, "no secret")
    path = f"/v1/chatrooms/{room}/messages"
    assert (await buyer.delete(f"{path}/{gone['seq']}")).status_code == 204
    history = (await buyer.get(path)).json()["items"]
    for person, hello in here.items():
        device = await join(person, hello)
        while "message.deleted" not in [event["kind"] for event in device.events]:
            await device.hear()
        assert "my secret" not in str(device.events)
        said = [event["data"] for event in device.events if event["kind"] == "message.new"]
        assert said == history[-2:]
        assert said[-1] == kept
        rooms = [event["data"] for event in device.events if event["kind"] == "chatroom.changed"]
        assert [shown["last_message"] for shown in rooms] == [history[-2]]
    [notice] = (await seller.get("/v1/notifications")).json()["items"]
    assert notice["text"] == "This message was deleted."
    assert notice["data"] == {"chatroom_id": room, "seq": gone["seq"]}


async def test_a_hint_the_bus_lost_is_filled_in_by_the_next_one(
    join: Connect, context: Context, node: RealtimeNode, seller: Person, buyer: Person, room: str
) -> None:
    device = await join(seller)
    lost: list[Hint] = []
    context.bus.listen(lost.append)
    await say(buyer, room, "lost")
    context.bus.listen(node.hub.receive)
    await say(buyer, room, "heard")
    first = device.welcome["pos"] + 1
    while [e["data"].get("text") for e in device.events][-1:] != ["heard"]:
        await device.hear()
    assert device.positions == list(range(first, first + len(device.events)))
    assert lost
    for hint in reversed(lost):
        node.hub.receive(hint)
    await say(buyer, room, "after a repeat")
    while device.events[-1]["data"].get("text") != "after a repeat":
        await device.hear()
    assert device.positions == list(range(first, first + len(device.events)))


async def test_hints_in_any_order_arrive_in_theirs(
    join: Connect, context: Context, node: RealtimeNode, seller: Person, buyer: Person, room: str
) -> None:
    device = await join(seller)
    hints: list[Hint] = []
    context.bus.listen(hints.append)
    for number in range(6):
        await say(buyer, room, str(number))
    for hint in hints[::-1] + hints:
        node.hub.receive(hint)
    last = max(hint.pos for hint in hints if hint.stream_id == seller.id)
    first = device.welcome["pos"] + 1
    assert await caught_up(device, last) == list(range(first, last + 1))


async def test_a_crash_between_commit_and_publish_delays_and_never_loses(
    join: Connect, context: Context, node: RealtimeNode, seller: Person, buyer: Person, room: str
) -> None:
    device = await join(seller)
    context.bus.listen(lambda hint: None)
    await say(buyer, room, "never published")
    await node.hub.reconcile()
    assert (await device.event("message.new"))["text"] == "never published"


async def test_a_stream_that_went_back_or_lost_its_events_closes_with_position_lost(
    join: Connect, context: Context, node: RealtimeNode, seller: Person, buyer: Person
) -> None:
    one, two = await join(seller), await join(buyer)
    await add_events(context, seller.id, 1)
    await caught_up(one, one.welcome["pos"] + 1)

    async def break_streams(work: UnitOfWork) -> None:
        await work.execute(
            update(Stream).where(Stream.id == seller.id).values(head=Stream.head - 1)
        )
        context.bus.listen(lambda hint: None)

    await transact(context, None, break_streams)
    await add_events(context, buyer.id, 2, at_once=2)
    trimmed = delete(StreamEvent).where(
        StreamEvent.stream_id == buyer.id, StreamEvent.pos == two.welcome["pos"] + 1
    )
    await transact(context, None, lambda work: work.execute(trimmed))
    await node.hub.reconcile()
    assert await one.closed() == 4003
    assert await two.closed() == 4003


async def test_joining_while_messages_rain_misses_and_doubles_nothing(
    join: Connect, context: Context, seller: Person, buyer: Person, room: str
) -> None:
    here = await place(context, seller.id)

    async def rain() -> None:
        for number in range(40):
            await say(buyer, room, str(number))

    raining = asyncio.create_task(rain())
    devices = [await join(seller, here if n % 2 else None) for n in range(8)]
    await raining
    head = (await place(context, seller.id))["pos"]
    for device in devices:
        first = device.welcome["pos"] + 1
        got = await caught_up(device, head) if first <= head else []
        assert got == list(range(first, head + 1))


class TestASmallBuffer:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(queue_frames=8, batch_events=3)

    async def test_of_held_events_is_made_good_from_the_database(
        self, join: Connect, context: Context, seller: Person, buyer: Person, room: str
    ) -> None:
        here = await place(context, seller.id)
        for number in range(20):
            await say(buyer, room, str(number))

        async def rain() -> None:
            for number in range(20):
                await say(buyer, room, str(number))

        raining = asyncio.create_task(rain())
        device = await join(seller, here)
        await raining
        head = (await place(context, seller.id))["pos"]
        assert await caught_up(device, head) == list(range(here["pos"] + 1, head + 1))
