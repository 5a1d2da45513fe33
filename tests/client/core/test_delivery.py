from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from client_tui.core.errors import BadFile, Disconnected, ServerUnreachable
from client_tui.core.outbox import OutboxPhoto, OutboxState
from tests.client.core.delivery_world import QUIET_ROOM, World, delivering, refused
from tests.client.core.fakes import ROOM


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with delivering(tmp_path) as world:
        yield world


async def test_what_waits_is_sent_in_order_and_then_gone(world: World) -> None:
    for text in ("one", "two", "three"):
        await world.outbox.put(ROOM, text)
    async with world.running():
        await world.until_sent(3)
        await world.outbox.put(ROOM, "four")
        world.delivery.wake()
        await world.until_sent(4)
    assert world.session.texts() == ["one", "two", "three", "four"]
    assert await world.outbox.waiting() == []


async def test_a_lost_answer_means_the_same_cid_again(world: World) -> None:
    waiting = await world.outbox.put(ROOM, "hello")
    world.session.answers = [lambda _: Disconnected()]
    async with world.running():
        await world.clock.until_asleep()
        [unsure] = await world.outbox.waiting()
        assert unsure.state is OutboxState.SENDING
        await world.clock.advance(0.5)
        await world.until_sent(1)
    assert [sent["cid"] for sent in world.session.sent] == [waiting.cid, waiting.cid]


async def test_nothing_leaves_while_offline_and_edits_made_meanwhile_count(world: World) -> None:
    world.session.online.clear()
    first = await world.outbox.put(ROOM, "frist")
    second = await world.outbox.put(ROOM, "second")
    async with world.running():
        await world.clock.advance(100)
        await world.outbox.edit(first.cid, "first")
        await world.outbox.discard(second.cid)
        assert world.session.sent == []
        world.session.online.set()
        await world.until_sent(1)
    assert world.session.texts() == ["first"]


async def test_too_fast_waits_as_told_and_keeps_the_order(world: World) -> None:
    await world.outbox.put(ROOM, "one")
    await world.outbox.put(ROOM, "two")
    world.session.answers = [refused("rate_limited", retry_ms=3000)]
    async with world.running():
        await world.clock.until_asleep()
        [first, _] = await world.outbox.waiting()
        assert first.state is OutboxState.QUEUED
        await world.clock.advance(2.9)
        assert world.session.texts() == ["one"]
        await world.clock.advance(0.2)
        await world.until_sent(2)
    assert world.session.texts() == ["one", "one", "two"]


async def test_a_refusal_fails_that_message_only_and_says_why(world: World) -> None:
    await world.outbox.put(ROOM, "https://bad.example")
    await world.outbox.put(ROOM, "good")
    world.session.answers = [refused("message_blocked")]
    async with world.running():
        await world.until_sent(1)
    [failed] = await world.outbox.waiting()
    assert (failed.state, failed.code, failed.reason) == (
        OutboxState.FAILED,
        "message_blocked",
        "Told: message_blocked.",
    )
    assert OutboxState.FAILED in world.heard.states


async def test_a_failed_message_goes_out_when_it_is_confirmed(world: World) -> None:
    waiting = await world.outbox.put(ROOM, "my number is")
    world.session.answers = [refused("confirm_needed")]
    async with world.running():
        await world.heard.until(lambda: OutboxState.FAILED in world.heard.states)
        await world.outbox.retry(waiting.cid, confirmed=True)
        world.delivery.wake()
        await world.until_sent(1)
    assert [sent["confirmed"] for sent in world.session.sent] == [False, True]


async def test_photos_are_uploaded_before_their_message(world: World) -> None:
    await world.outbox.put(ROOM, "look", [Path("/a.jpg"), Path("/b.jpg")])
    async with world.running():
        await world.until_sent(1)
    [sent] = world.session.sent
    assert sent["photos"] == [photo.upload_id for photo in world.heard.done[0].photos]
    assert len(sent["photos"]) == len({*sent["photos"]}) == 2
    assert [progress.index for progress in world.heard.photos] == [0, 1]


async def test_only_the_photo_that_failed_is_uploaded_again(world: World) -> None:
    waiting = await world.outbox.put(ROOM, "look", [Path("/a.jpg"), Path("/b.jpg")])
    world.uploader.errors["b.jpg"] = BadFile("b.jpg is empty.")
    async with world.running():
        await world.heard.until(lambda: OutboxState.FAILED in world.heard.states)
        [failed] = await world.outbox.waiting()
        assert failed.reason == "b.jpg is empty."
        await world.outbox.retry(waiting.cid)
        world.delivery.wake()
        await world.until_sent(1)
    assert world.uploader.asked == [[Path("/a.jpg"), Path("/b.jpg")], [Path("/b.jpg")]]
    assert world.heard.photos[-1].index == 1


async def test_a_store_out_of_reach_is_no_reason_to_give_up(world: World) -> None:
    await world.outbox.put(ROOM, "", [Path("/a.jpg")])
    world.uploader.errors["a.jpg"] = ServerUnreachable("The photo store", "gone")
    async with world.running():
        await world.clock.until_asleep()
        await world.clock.advance(0.5)
        await world.until_sent(1)


async def test_a_room_that_waits_does_not_hold_up_another(world: World) -> None:
    await world.outbox.put(ROOM, "slow")
    world.session.answers = [refused("rate_limited", retry_ms=60_000)]
    async with world.running():
        await world.clock.until_asleep()
        await world.outbox.put(QUIET_ROOM, "quick")
        world.delivery.wake()
        await world.until_sent(1)
    assert world.heard.done[0].text == "quick"


async def test_what_was_on_its_way_when_the_program_died_is_sent_again(world: World) -> None:
    waiting = await world.outbox.put(ROOM, "hello")
    await world.outbox.sending(waiting.cid)
    async with world.running():
        await world.until_sent(1)
    assert world.session.sent[0]["cid"] == waiting.cid


async def test_after_a_lost_answer_being_too_fast_leaves_the_message_as_perhaps_sent(
    world: World,
) -> None:
    await world.outbox.put(ROOM, "hello")
    world.session.answers = [lambda _: Disconnected(), refused("rate_limited", retry_ms=3000)]
    async with world.running():
        await world.clock.until_asleep()
        await world.clock.advance(0.5)
        await world.clock.until_asleep()
        assert len(world.session.sent) == 2
        [unsure] = await world.outbox.waiting()
        assert unsure.state is OutboxState.SENDING
        await world.clock.advance(3)
        await world.until_sent(1)


async def test_a_picture_the_server_has_dropped_is_uploaded_once_more(world: World) -> None:
    waiting = await world.outbox.put(ROOM, "look", [Path("/a.jpg"), Path("/b.jpg")])
    dropped = [OutboxPhoto(photo.path, uuid4()) for photo in waiting.photos]
    await world.outbox.uploaded(waiting.cid, dropped)
    world.session.answers = [refused("photo_unknown")]
    async with world.running():
        await world.clock.until_asleep()
        await world.clock.advance(0.5)
        await world.until_sent(1)
    first, second = world.session.sent
    assert first["photos"] == [photo.upload_id for photo in dropped]
    assert len({*first["photos"], *second["photos"]}) == 4
    assert (first["cid"], second["cid"]) == (waiting.cid, waiting.cid)


async def test_pictures_refused_again_fail_their_message_until_a_person_tries(
    world: World,
) -> None:
    waiting = await world.outbox.put(ROOM, "look", [Path("/a.jpg")])
    world.session.answers = [refused("photo_unknown"), refused("photo_unknown")]
    async with world.running():
        await world.clock.until_asleep()
        await world.clock.advance(0.5)
        await world.heard.until(lambda: OutboxState.FAILED in world.heard.states)
        [failed] = await world.outbox.waiting()
        assert (failed.code, failed.photos[0].upload_id) == ("photo_unknown", None)
        await world.outbox.retry(waiting.cid)
        world.delivery.wake()
        await world.until_sent(1)
    assert len(world.uploader.asked) == 3
