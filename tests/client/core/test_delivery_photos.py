"""Photos of a waiting message that do not come through, and those that are taken out of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from client_tui.core.delivery import SLOW_TRIES
from client_tui.core.errors import (
    TOO_SLOW,
    BadFile,
    ClientError,
    Invalid,
    NotEditable,
    ServerUnreachable,
    Unauthenticated,
    UnreadableAnswer,
    UploadFailed,
)
from client_tui.core.outbox import OutboxPhoto, OutboxState
from client_tui.core.uploads import Outcome
from tests.client.core.delivery_world import World, delivering
from tests.client.core.fakes import ROOM

GOOD, BAD, WORSE = Path("/good.jpg"), Path("/bad.jpg"), Path("/worse.jpg")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with delivering(tmp_path) as world:
        yield world


async def failing(world: World, *bad: Path) -> Sequence[OutboxPhoto]:
    """The photos of a message of which these did not come through."""
    for path in bad:
        world.uploader.errors[path.name] = BadFile(f"{path.name} is cut off.")
    await world.outbox.put(ROOM, "look", [GOOD, BAD, WORSE])
    async with world.running():
        await world.heard.until(lambda: OutboxState.FAILED in world.heard.states)
    [failed] = await world.outbox.waiting()
    return failed.photos


async def test_why_each_photo_failed_is_on_disk(world: World) -> None:
    good, bad, worse = await failing(world, BAD, WORSE)
    assert (good.failure, bad.failure) == (None, "bad.jpg is cut off.")
    assert worse.failure == "worse.jpg is cut off."
    assert [photo.upload_id is None for photo in (good, bad, worse)] == [False, True, True]


async def test_a_message_goes_when_the_last_photo_that_failed_is_taken_out(world: World) -> None:
    good, bad, worse = await failing(world, BAD, WORSE)
    [failed] = await world.outbox.waiting()
    left = await world.outbox.take_out(failed.cid, bad)
    assert (left.state, left.reason) == (OutboxState.FAILED, "worse.jpg is cut off.")
    left = await world.outbox.take_out(failed.cid, worse)
    assert (left.state, left.photos) == (OutboxState.QUEUED, (good,))
    async with world.running():
        await world.until_sent(1)
    assert world.session.sent[0]["photos"] == [good.upload_id]
    assert len(world.uploader.asked) == 1


async def test_a_photo_that_comes_through_at_last_has_failed_no_more(world: World) -> None:
    await failing(world, BAD)
    [failed] = await world.outbox.waiting()
    await world.outbox.retry(failed.cid)
    async with world.running():
        await world.until_sent(1)
    assert [photo.failure for photo in world.heard.done[0].photos] == [None, None, None]


@pytest.mark.parametrize(
    "error",
    [
        ServerUnreachable("The photo store", "away"),
        UnreadableAnswer("http://server"),
        Unauthenticated(401, "token_revoked", "This session has ended."),
        UploadFailed(TOO_SLOW, "The server took too long."),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_is_only_in_passing_is_no_fault_of_the_photo(
    world: World, error: ClientError
) -> None:
    world.uploader.errors[BAD.name] = error
    await world.outbox.put(ROOM, "look", [GOOD, BAD])
    async with world.running():
        await world.clock.until_asleep()
        [waiting] = await world.outbox.waiting()
    assert waiting.state is OutboxState.QUEUED
    assert [photo.failure for photo in waiting.photos] == [None, None]
    async with world.running():
        await world.until_sent(1)
    assert OutboxState.FAILED not in world.heard.states


async def test_a_photo_that_the_server_never_gets_ready_is_given_up_and_holds_up_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = world.uploader.upload

    async def never_ready(*values: Any) -> list[Outcome]:
        world.uploader.errors[BAD.name] = UploadFailed(TOO_SLOW, "The server took too long.")
        return await upload(*values)

    monkeypatch.setattr(world.uploader, "upload", never_ready)
    await world.outbox.put(ROOM, "look", [GOOD, BAD])
    await world.outbox.put(ROOM, "behind it")
    async with world.running():
        for attempt in range(SLOW_TRIES - 1):
            await world.clock.until_asleep()
            await world.clock.advance(0.5 * 2**attempt)
        await world.until_sent(1)
    assert world.session.texts() == ["behind it"]
    assert world.uploader.asked == [[GOOD, BAD]] + [[BAD]] * (SLOW_TRIES - 1)
    [failed] = await world.outbox.waiting()
    assert (failed.state, failed.code) == (OutboxState.FAILED, "photo_failed")
    assert failed.reason == "The server took too long."
    assert [photo.failure for photo in failed.photos] == [None, failed.reason]


@pytest.mark.parametrize(
    "error",
    [
        BadFile("bad.jpg is cut off."),
        UploadFailed("not_a_picture", "It is no picture."),
        Invalid(422, "too_large", "Too large."),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_photo_that_is_refused_fails_its_message(world: World, error: ClientError) -> None:
    world.uploader.errors[BAD.name] = error
    await world.outbox.put(ROOM, "look", [GOOD, BAD])
    async with world.running():
        await world.heard.until(lambda: OutboxState.FAILED in world.heard.states)
    [failed] = await world.outbox.waiting()
    assert [photo.failure for photo in failed.photos] == [None, str(error)]


@pytest.mark.parametrize("comes_through", [True, False])
async def test_what_is_taken_out_while_it_goes_up_stays_out(
    world: World, monkeypatch: pytest.MonkeyPatch, comes_through: bool
) -> None:
    waiting = await world.outbox.put(ROOM, "look", [GOOD, BAD])
    if not comes_through:
        world.uploader.errors[BAD.name] = BadFile("bad.jpg is cut off.")
    upload = world.uploader.upload

    async def upload_and_lose(*values: Any) -> list[Outcome]:
        outcomes = await upload(*values)
        await world.outbox.take_out(waiting.cid, waiting.photos[1])
        return outcomes

    monkeypatch.setattr(world.uploader, "upload", upload_and_lose)
    async with world.running():
        await world.until_sent(1)
    assert OutboxState.FAILED not in world.heard.states
    assert [photo.path for photo in world.heard.done[0].photos] == [GOOD]
    assert len(world.session.sent[0]["photos"]) == 1


async def test_nothing_is_taken_out_of_what_the_server_may_have(world: World) -> None:
    waiting = await world.outbox.put(ROOM, "look", [GOOD, BAD])
    await world.outbox.sending(waiting.cid)
    with pytest.raises(NotEditable):
        await world.outbox.take_out(waiting.cid, waiting.photos[0])
    [same] = await world.outbox.waiting()
    assert same.photos == waiting.photos


async def test_one_that_was_copied_meanwhile_is_taken_out_all_the_same(world: World) -> None:
    """What the screen was shown had the file that was chosen."""
    waiting = await world.outbox.put(ROOM, "look", [GOOD, BAD])
    shown = replace(waiting.photos[1], path=waiting.photos[1].origin)
    left = await world.outbox.take_out(waiting.cid, shown)
    assert left.photos == waiting.photos[:1]


async def test_of_one_file_chosen_twice_one_is_taken_out(world: World) -> None:
    waiting = await world.outbox.put(ROOM, "look", [GOOD, GOOD])
    left = await world.outbox.take_out(waiting.cid, waiting.photos[0])
    assert left.photos == waiting.photos[1:]
