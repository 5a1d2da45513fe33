from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from client_tui.core.errors import StorageFailed
from client_tui.core.outbox import OutboxState
from tests.client.core.delivery_world import World, delivering, refused
from tests.client.core.fakes import ROOM

FULL = StorageFailed("The disk is full.")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with delivering(tmp_path) as world:
        yield world


def fail_once(world: World, name: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    works = getattr(world.outbox, name)

    async def fail(*_: Any) -> None:
        monkeypatch.setattr(world.outbox, name, works)
        raise error

    monkeypatch.setattr(world.outbox, name, fail)


@pytest.mark.parametrize("step", ["rooms", "next", "sending", "done"])
async def test_a_disk_that_fails_once_is_told_and_does_not_end_the_delivery(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await world.outbox.put(ROOM, "one")
    await world.outbox.put(ROOM, "two")
    fail_once(world, step, FULL, monkeypatch)
    async with world.running():
        await world.clock.until_asleep()
        assert world.heard.stumbles == [FULL]
        assert OutboxState.FAILED not in world.heard.states
        await world.clock.advance(0.5)
        await world.until_sent(2)
    assert [message.text for message in world.heard.done] == ["one", "two"]
    assert len({sent["cid"] for sent in world.session.sent}) == 2


async def test_a_disk_that_cannot_note_a_refusal_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.outbox.put(ROOM, "bad")
    world.session.answers = [refused("message_blocked")] * 2
    fail_once(world, "failed", FULL, monkeypatch)
    async with world.running():
        await world.clock.until_asleep()
        await world.clock.advance(0.5)
        await world.heard.until(lambda: OutboxState.FAILED in world.heard.states)


async def test_a_trouble_that_stays_is_told_once_and_tried_less_and_less(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise LookupError("what nobody thought of")

    await world.outbox.put(ROOM, "hello", [Path("/a.jpg")])
    with monkeypatch.context() as broken:
        broken.setattr(world.uploader, "upload", fail)
        async with world.running():
            await world.clock.until_asleep()
            for wait_s in (0.5, 1.0, 2.0):
                await world.clock.advance(wait_s)
            assert len(world.heard.stumbles) == 1
            broken.undo()
            await world.clock.advance(4.0)
            await world.until_sent(1)
